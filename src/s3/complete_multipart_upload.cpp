#include <algorithm>

#include "s3/conditions.hpp"
#include "s3/multipart.hpp"
#include "s3/object_fields.hpp"
#include "s3/text.hpp"
#include "s3/xml_reader.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

struct Completion {
  std::vector<fs::PartInfo> parts;
  std::string etag;
};

std::unexpected<S3Error> invalid_part(const CompletedPart& part) {
  S3Error error = to_s3_error({Errc::invalid, ""}, Subject::upload);
  error.elements.emplace_back("PartNumber", std::to_string(part.number));
  error.elements.emplace_back("ETag", part.etag);
  return std::unexpected(std::move(error));
}

/// A checksum that the client repeats for a part must be the one that was verified at its upload.
bool checksums_agree(const CompletedPart& wanted, const PartEtag& have) {
  return std::ranges::all_of(wanted.checksums, [&have](const auto& checksum) {
    return checksum.first == "Checksum" + have.checksum_name && checksum.second == have.checksum;
  });
}

/// x-amz-mp-object-size: how many bytes the client means to have uploaded.
S3Result<> check_size(const RequestHead& head, const std::vector<fs::PartInfo>& parts) {
  if (!head.has("x-amz-mp-object-size")) return {};
  uint64_t bytes = 0;
  for (const fs::PartInfo& part : parts) bytes += part.size;
  if (parse_decimal(head.get("x-amz-mp-object-size")) == bytes) return {};
  return s3_fail(S3Code::invalid_request,
                 "The provided 'x-amz-mp-object-size' header does not match what was computed.");
}

S3Result<> check_order(const std::vector<CompletedPart>& parts) {
  uint32_t previous = 0;
  for (const CompletedPart& part : parts) {
    if (part.number <= previous) {
      return s3_fail(S3Code::invalid_part_order,
                     "The list of parts was not in ascending order. The parts list must be "
                     "specified in order by part number.");
    }
    previous = part.number;
  }
  return {};
}

/// Matches the client's list with the parts that are there.
S3Result<Completion> match_parts(const std::vector<CompletedPart>& wanted,
                                 const std::vector<fs::PartInfo>& have) {
  TRY(check_order(wanted));
  Completion result;
  std::vector<std::string> md5s;
  auto at = have.begin();
  for (const CompletedPart& part : wanted) {
    while (at != have.end() && at->number < part.number) ++at;
    if (at == have.end() || at->number != part.number) return invalid_part(part);
    const PartEtag stored = parse_part_etag(at->etag);
    if (stored.md5 != part.etag || !checksums_agree(part, stored)) return invalid_part(part);
    if (&part != &wanted.back() && at->size < kPartBytesMin) {
      S3Error error(S3Code::entity_too_small,
                    "Your proposed upload is smaller than the minimum allowed size");
      error.elements.emplace_back("ProposedSize", std::to_string(at->size));
      error.elements.emplace_back("MinSizeAllowed", std::to_string(kPartBytesMin));
      error.elements.emplace_back("PartNumber", std::to_string(part.number));
      error.elements.emplace_back("ETag", part.etag);
      return std::unexpected(std::move(error));
    }
    result.parts.push_back(*at);
    md5s.push_back(stored.md5);
  }
  result.etag = multipart_etag(md5s);
  return result;
}

}  // namespace

S3Task<> complete_multipart_upload(Environment& env, Request& request) {
  const std::string upload = CO_TRY(upload_id(request.query));
  const fs::Conditions conditions = CO_TRY(write_conditions(request.head));
  const std::string text = CO_TRY(co_await request.body.read_all(kXmlBytesMax));
  const auto wanted = CO_TRY(parse_complete_upload(text));
  const auto have = CO_TRY(co_await all_parts(env, request, upload));
  Completion completion = CO_TRY(match_parts(wanted, have));
  CO_TRY(check_size(request.head, completion.parts));
  const auto made = CO_TRY(
      co_await env.files.complete_upload(env.begin(request), request.bucket, request.key, upload,
                                         std::move(completion.parts), conditions, completion.etag));
  XmlWriter xml("CompleteMultipartUploadResult");
  xml.element("Location", fmt::format("http://{}/{}/{}", request.head.get("host"), request.bucket,
                                      percent_encoded(request.key, true)));
  xml.element("Bucket", request.bucket);
  xml.element("Key", request.key);
  xml.element("ETag", quoted_etag(made.etag));
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
