#include "s3_target.hpp"

#include <fstream>
#include <map>

#include "s3/text.hpp"

namespace turbine::bench {

namespace {
constexpr std::string_view kSignedHeaders = "host;x-amz-content-sha256;x-amz-date";
}

Result<> set_endpoint(S3Target& target, std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const size_t colon = url.rfind(':');
  if (!url.starts_with(kScheme) || colon < kScheme.size()) {
    return fail(Errc::invalid, "{} is not http://HOST:PORT", url);
  }
  const auto port = s3::parse_decimal(url.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535) return fail(Errc::invalid, "{}: bad port", url);
  target.host = url.substr(kScheme.size(), colon - kScheme.size());
  target.port = static_cast<uint16_t>(*port);
  return {};
}

Result<S3Target> target_of(const std::string& dir) {
  std::ifstream file(dir + "/env");
  if (!file) return fail(Errc::not_found, "{}/env can't be read: is it an array?", dir);
  std::map<std::string, std::string> values;
  for (std::string line; std::getline(file, line);) {
    std::string_view text = line;
    if (text.starts_with("export ")) text.remove_prefix(7);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  S3Target target;
  TRY(set_endpoint(target, values["AWS_ENDPOINT_URL"]));
  target.access_key = values["AWS_ACCESS_KEY_ID"];
  target.secret_key = values["AWS_SECRET_ACCESS_KEY"];
  target.region = values["AWS_DEFAULT_REGION"];
  return target;
}

void RequestSigner::refresh_time() {
  const std::time_t now = std::time(nullptr);
  if (now == second_) return;
  second_ = now;
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &utc);
  const std::string_view day(text, 8);
  if (timestamp_.substr(0, 8) != day) {
    scope_ = fmt::format("{}/{}/s3/aws4_request", day, target_.region);
    key_ = s3::derive_signing_key(target_.secret_key, day, target_.region, "s3");
  }
  timestamp_ = text;
}

std::string RequestSigner::head(const Request& request) {
  refresh_time();
  const std::string authority = target_.authority();
  const std::string canonical =
      fmt::format("{}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{}\nx-amz-date:{}\n\n{}\n{}",
                  request.method, request.path, request.query, authority, request.payload_sha256,
                  timestamp_, kSignedHeaders, request.payload_sha256);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", s3::kSigningAlgorithm, timestamp_,
                                          scope_, s3::to_hex(s3::sha256(canonical)));
  return fmt::format(
      "{} {}{}{} HTTP/1.1\r\n"
      "Host: {}\r\n"
      "x-amz-content-sha256: {}\r\n"
      "x-amz-date: {}\r\n"
      "Authorization: {} Credential={}/{}, SignedHeaders={}, Signature={}\r\n"
      "Content-Length: {}\r\n"
      "\r\n",
      request.method, request.path, request.query.empty() ? "" : "?", request.query, authority,
      request.payload_sha256, timestamp_, s3::kSigningAlgorithm, target_.access_key, scope_,
      kSignedHeaders, s3::sign(key_, to_sign), request.body_bytes);
}

}  // namespace turbine::bench
