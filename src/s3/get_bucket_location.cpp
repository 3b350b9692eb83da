#include "s3/operation.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {

/// An empty constraint means us-east-1.
S3Task<> get_bucket_location(Environment& env, Request& request) {
  CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  XmlWriter xml;
  xml.open_with_namespace("LocationConstraint");
  std::string text = xml.take();
  if (env.region != "us-east-1") {
    text.insert(text.rfind("</"), env.region);  // region names need no escaping
  }
  co_return co_await send_xml(request, std::move(text));
}

}  // namespace turbine::s3
