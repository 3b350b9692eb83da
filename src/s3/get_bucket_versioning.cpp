#include "s3/operation.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {

/// Never enabled: the configuration without a status.
S3Task<> get_bucket_versioning(Environment& env, Request& request) {
  CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  co_return co_await send_xml(request, XmlWriter("VersioningConfiguration").take());
}

}  // namespace turbine::s3
