#include "s3/multipart.hpp"
#include "s3/object_fields.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

void add_user(XmlWriter& xml, std::string_view element, const Principal& who) {
  xml.open(element);
  xml.element("ID", who.user);
  xml.element("DisplayName", who.user_name);
  xml.close();
}

}  // namespace

S3Task<> list_parts(Environment& env, Request& request) {
  const std::string upload = CO_TRY(upload_id(request.query));
  uint64_t count = 1000, after = 0;
  for (const auto& [name, out] : {std::pair("max-parts", &count), {"part-number-marker", &after}}) {
    if (!request.query.has(name) || request.query.get(name).empty()) continue;
    const auto number = parse_decimal(request.query.get(name));
    if (!number || *number > INT32_MAX) {
      co_return s3_fail(S3Code::invalid_argument,
                        "Provided {} not an integer or within integer "
                        "range",
                        name);
    }
    *out = *number;
  }
  count = std::min<uint64_t>(count, 1000);
  bool more = false;
  const auto parts = CO_TRY(co_await env.files.list_parts(
      env.begin(request), request.bucket, request.key, upload, static_cast<uint32_t>(after),
      static_cast<size_t>(count), &more));
  XmlWriter xml("ListPartsResult");
  xml.element("Bucket", request.bucket);
  xml.element("Key", request.key);
  xml.element("UploadId", upload);
  add_user(xml, "Initiator", request.principal);
  add_user(xml, "Owner", request.principal);
  xml.element("StorageClass", "STANDARD");
  xml.element("PartNumberMarker", after);
  xml.element("NextPartNumberMarker", parts.empty() ? after : parts.back().number);
  xml.element("MaxParts", count);
  xml.element("IsTruncated", more);
  for (const auto& part : parts) {
    const PartEtag etag = parse_part_etag(part.etag);
    xml.open("Part");
    xml.element("PartNumber", uint64_t{part.number});
    xml.element("LastModified", format_iso_time(part.modified_ns));
    xml.element("ETag", quoted_etag(etag.md5));
    xml.element("Size", part.size);
    for (const auto& name : checksum_names()) {
      if (name.name == etag.checksum_name) xml.element(name.element, etag.checksum);
    }
    xml.close();
  }
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
