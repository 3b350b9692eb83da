#include "s3/operation.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {

/// The caller's buckets, root sees all; with `prefix`, in one page.
S3Task<> list_buckets(Environment& env, Request& request) {
  const auto buckets = CO_TRY(co_await env.files.list_buckets(env.begin(request)));
  const std::string_view prefix = request.query.get("prefix");
  XmlWriter xml("ListAllMyBucketsResult");
  xml.open("Owner");
  xml.element("ID", request.principal.user);
  xml.element("DisplayName", request.principal.user_name);
  xml.close();
  xml.open("Buckets");
  for (const auto& bucket : buckets) {
    if (!request.principal.root && bucket.owner_user != request.principal.user) continue;
    if (!bucket.name.starts_with(prefix)) continue;
    xml.open("Bucket");
    xml.element("Name", bucket.name);
    xml.element("CreationDate", format_iso_time(bucket.created_ns));
    xml.close();
  }
  xml.close();
  if (!prefix.empty()) xml.element("Prefix", prefix);
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
