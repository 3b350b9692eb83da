#include "s3/operation.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {

/// No tags: AWS CLI asks before it copies a large object.
S3Task<> get_object_tagging(Environment& env, Request& request) {
  CO_TRY(co_await env.files.head(env.begin(request), request.bucket, request.key));
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
