#include "s3/multipart.hpp"

#include "s3/text.hpp"

namespace turbine::s3 {

S3Result<std::string> upload_id(const Query& query) {
  std::string id(query.get("uploadId"));
  if (id.empty() || id.size() > 256 || query.count("uploadId") != 1) {
    return std::unexpected(to_s3_error({Errc::not_found, ""}, Subject::upload));
  }
  return id;
}

S3Result<PartAddress> part_address(const Query& query) {
  const auto number = parse_decimal(query.get("partNumber"));
  if (!number || *number < 1 || *number > kPartNumberMax) {
    S3Error error(S3Code::invalid_argument,
                  "Part number must be an integer between 1 and 10000, inclusive");
    error.elements.emplace_back("ArgumentName", "partNumber");
    error.elements.emplace_back("ArgumentValue", query.get("partNumber"));
    return std::unexpected(std::move(error));
  }
  return PartAddress{TRY(upload_id(query)), static_cast<uint32_t>(*number)};
}

std::string stored_part_etag(std::string_view md5, std::string_view checksum_name,
                             std::string_view checksum) {
  if (checksum.empty()) return std::string(md5);
  return fmt::format("{};{}={}", md5, checksum_name, checksum);
}

PartEtag parse_part_etag(std::string_view stored) {
  PartEtag etag;
  const size_t semicolon = std::min(stored.find(';'), stored.size());
  etag.md5 = stored.substr(0, semicolon);
  const std::string_view rest = stored.substr(std::min(semicolon + 1, stored.size()));
  const size_t equals = rest.find('=');
  if (equals != std::string_view::npos) {
    etag.checksum_name = rest.substr(0, equals);
    etag.checksum = rest.substr(equals + 1);
  }
  return etag;
}

std::string multipart_etag(const std::vector<std::string>& part_md5s) {
  std::string all;
  for (const auto& hex : part_md5s) {
    const auto raw = from_hex(hex);
    if (!raw) return {};
    all.append(*raw);
  }
  return fmt::format("{}-{}", to_hex(as_bytes(md5(all))), part_md5s.size());
}

S3Task<std::vector<fs::PartInfo>> all_parts(Environment& env, const Request& request,
                                            std::string upload) {
  std::vector<fs::PartInfo> parts;
  bool more = true;
  while (more) {
    const uint32_t after = parts.empty() ? 0 : parts.back().number;
    auto page = CO_TRY(co_await env.files.list_parts(env.begin(request), request.bucket,
                                                     request.key, upload, after, 1000, &more));
    if (page.empty()) break;
    parts.insert(parts.end(), page.begin(), page.end());
  }
  co_return parts;
}

}  // namespace turbine::s3
