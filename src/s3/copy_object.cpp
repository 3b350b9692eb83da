#include "s3/conditions.hpp"
#include "s3/copy_source.hpp"
#include "s3/object_fields.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

bool is_plain_md5(std::string_view etag) {
  return etag.size() == 32 && from_hex(etag).has_value();
}

/// Attributes of the copy: the source's, or those of the request.
S3Result<fs::NewObject> copy_attributes(const RequestHead& head, const fs::ObjectInfo& source,
                                        bool replace) {
  fs::NewObject attributes = TRY(attributes_of(head));
  if (replace) {
    for (const auto& item : source.metadata) {
      if (is_checksum_attribute(item.first)) attributes.metadata.push_back(item);
    }
    return attributes;
  }
  attributes.content_type = source.content_type;
  attributes.metadata = source.metadata;
  return attributes;
}

}  // namespace

S3Task<> copy_object(Environment& env, Request& request) {
  const std::string_view directive = request.head.get("x-amz-metadata-directive");
  if (!directive.empty() && directive != "COPY" && directive != "REPLACE") {
    co_return s3_fail(S3Code::invalid_argument, "Unknown metadata directive.");
  }
  const bool replace = directive == "REPLACE";
  const fs::Conditions conditions = CO_TRY(write_conditions(request.head));
  const CopySource source = CO_TRY(co_await open_copy_source(env, request));
  const fs::ObjectInfo& info = source.reader->info();
  if (source.bucket == request.bucket && source.key == request.key && !replace) {
    co_return s3_fail(S3Code::invalid_request,
                      "This copy request is illegal because it is trying to copy an object to "
                      "itself without changing the object's metadata, storage class, website "
                      "redirect location or encryption attributes.");
  }
  if (info.size > kObjectBytesMax) {
    co_return s3_fail(S3Code::invalid_request,
                      "The specified copy source is larger than the maximum allowable size for a "
                      "copy source: {}",
                      kObjectBytesMax);
  }
  fs::NewObject attributes = CO_TRY(copy_attributes(request.head, info, replace));
  auto writer =
      CO_TRY(co_await env.files.create(env.begin(request), request.bucket, request.key, info.size));
  const bool known = is_plain_md5(info.etag);
  attributes.etag = CO_TRY(co_await copy_bytes(*source.reader, *writer, {0, info.size}, !known));
  if (known) attributes.etag = info.etag;
  const auto made = CO_TRY(co_await writer->commit(std::move(attributes), conditions));
  XmlWriter xml("CopyObjectResult");
  xml.element("LastModified", format_iso_time(made.modified_ns));
  xml.element("ETag", quoted_etag(made.etag));
  for (const auto& [name, value] : made.metadata) {
    if (const auto* checksum = checksum_by_header(name)) xml.element(checksum->element, value);
  }
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
