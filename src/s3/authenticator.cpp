#include "s3/authenticator.hpp"

#include <algorithm>

#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

constexpr int64_t kSkewSecondsMax = 15 * 60;
constexpr size_t kCachedKeysMax = 1024;
// Signs for keys that don't exist, so that they take as long as those that do.
constexpr std::string_view kNobodysSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

S3Result<PayloadKind> payload_kind(std::string_view value) {
  if (value == kUnsignedPayload) return PayloadKind::unsigned_payload;
  if (value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return PayloadKind::streaming_signed;
  if (value == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    return PayloadKind::streaming_signed_trailer;
  }
  if (value == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return PayloadKind::streaming_unsigned_trailer;
  if (value.size() == 64 && from_hex(value)) return PayloadKind::hashed;
  return s3_fail(S3Code::invalid_argument,
                 "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                 "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
                 "STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value.");
}

}  // namespace

S3Result<> Authenticator::check_time(const SignatureClaim& claim) const {
  const auto signed_at = parse_iso_basic(claim.timestamp);
  if (!signed_at) {
    return s3_fail(S3Code::access_denied,
                   "AWS authentication requires a valid Date or x-amz-date header");
  }
  const int64_t now = clock_.wall_now().ns / 1'000'000'000;
  if (claim.presigned) {
    if (*signed_at > now + kSkewSecondsMax) {
      return s3_fail(S3Code::access_denied, "Request is not valid yet");
    }
    if (now > *signed_at + static_cast<int64_t>(claim.expires_s)) {
      return s3_fail(S3Code::access_denied, "Request has expired");
    }
  } else if (std::abs(now - *signed_at) > kSkewSecondsMax) {
    S3Error error(S3Code::request_time_too_skewed,
                  "The difference between the request time and the current time is too large.");
    error.elements.emplace_back("RequestTime", claim.timestamp);
    error.elements.emplace_back("ServerTime", format_iso_time(now * 1'000'000'000));
    return std::unexpected(std::move(error));
  }
  return {};
}

S3Result<> Authenticator::check_scope(const SignatureClaim& claim) const {
  std::string wrong;
  if (claim.date != std::string_view(claim.timestamp).substr(0, 8)) {
    wrong = "the date of the credential is not that of the request";
  } else if (claim.service != "s3") {
    wrong = fmt::format("the service '{}' is wrong; expecting 's3'", claim.service);
  } else if (!region_.empty() && claim.region != region_) {
    wrong = fmt::format("the region '{}' is wrong; expecting '{}'", claim.region, region_);
  } else {
    return {};
  }
  S3Error error(claim.presigned ? S3Code::authorization_query_parameters_error
                                : S3Code::authorization_header_malformed,
                fmt::format("The authorization is malformed; {}", wrong));
  error.elements.emplace_back("Region", region_);
  return std::unexpected(std::move(error));
}

S3Result<> Authenticator::check_signed_headers(const RequestHead& head,
                                               const SignatureClaim& claim) const {
  auto is_signed = [&claim](std::string_view name) {
    return std::ranges::find(claim.signed_headers, name) != claim.signed_headers.end();
  };
  if (!is_signed("host")) {
    return s3_fail(S3Code::access_denied,
                   "There were headers present in the request which were "
                   "not signed: host");
  }
  for (const auto& [name, value] : head.fields()) {
    if (!name.starts_with("x-amz-") || is_signed(name)) continue;
    S3Error error(S3Code::access_denied,
                  "There were headers present in the request which were not signed");
    error.elements.emplace_back("HeadersNotSigned", name);
    return std::unexpected(std::move(error));
  }
  // A name given twice would allow two canonical forms of one request.
  for (size_t i = 0; i < claim.signed_headers.size(); ++i) {
    const std::string& name = claim.signed_headers[i];
    if (!is_token(name) || lower_case(name) != name ||
        std::find(claim.signed_headers.begin(), claim.signed_headers.begin() + i, name) !=
            claim.signed_headers.begin() + static_cast<ptrdiff_t>(i)) {
      return s3_fail(S3Code::authorization_header_malformed, "SignedHeaders is malformed");
    }
  }
  return {};
}

const Sha256& Authenticator::signing_key(const SignatureClaim& claim, const std::string& secret) {
  const auto id = std::tuple(secret, claim.date, claim.region);
  const auto found = keys_.find(id);
  if (found != keys_.end()) return found->second;
  if (keys_.size() >= kCachedKeysMax) keys_.clear();
  const Sha256 key = derive_signing_key(secret, claim.date, claim.region, claim.service);
  return keys_.emplace(id, key).first->second;
}

S3Result<Authentication> Authenticator::authenticate(const RequestHead& head, const Uri& uri) {
  const bool in_header = head.has("authorization");
  const bool in_query = uri.query.has("X-Amz-Algorithm") || uri.query.has("X-Amz-Signature") ||
                        uri.query.has("X-Amz-Credential");
  if (in_header && (in_query || head.count("authorization") > 1)) {
    return s3_fail(S3Code::invalid_argument,
                   "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                   "Signature query string parameter or the Authorization header should be "
                   "specified");
  }
  if (!in_header && !in_query) {
    if (uri.query.has("AWSAccessKeyId")) {
      return s3_fail(S3Code::invalid_request,
                     "The authorization mechanism you have provided is not supported. Please use "
                     "AWS4-HMAC-SHA256.");
    }
    return s3_fail(S3Code::access_denied, "Access Denied");
  }

  const SignatureClaim claim =
      TRY(in_header ? parse_authorization(head) : parse_presigned(uri.query));
  TRY(check_time(claim));
  TRY(check_scope(claim));
  TRY(check_signed_headers(head, claim));

  Authentication result;
  std::string_view payload_hash = head.get("x-amz-content-sha256");
  if (head.count("x-amz-content-sha256") > 1) {
    return s3_fail(S3Code::invalid_argument, "x-amz-content-sha256 is given twice");
  }
  if (payload_hash.empty()) {
    if (!claim.presigned) {
      return s3_fail(S3Code::invalid_request,
                     "Missing required header for this request: x-amz-content-sha256");
    }
    payload_hash = uri.query.get("X-Amz-Content-Sha256");
    if (payload_hash.empty()) payload_hash = kUnsignedPayload;
  }
  result.payload = TRY(payload_kind(payload_hash));

  const auto credential = credentials_.find(claim.access_key);
  result.signing_key =
      signing_key(claim, credential ? credential->secret_key : std::string(kNobodysSecret));
  const std::string text = string_to_sign(claim, canonical_request(head, uri, claim, payload_hash));
  const bool holds = equal_in_constant_time(sign(result.signing_key, text), claim.signature);
  if (!credential) {
    return s3_fail(S3Code::invalid_access_key_id,
                   "The AWS Access Key Id you provided does not exist in our records.");
  }
  if (!holds) {
    S3Error error(S3Code::signature_does_not_match,
                  "The request signature we calculated does not match the signature you provided. "
                  "Check your key and signing method.");
    error.elements.emplace_back("AWSAccessKeyId", claim.access_key);
    error.elements.emplace_back("StringToSign", text);
    return std::unexpected(std::move(error));
  }
  result.principal = credential->principal;
  if (result.payload == PayloadKind::hashed) result.payload_sha256 = payload_hash;
  result.timestamp = claim.timestamp;
  result.scope = claim.scope();
  result.seed_signature = claim.signature;
  return result;
}

}  // namespace turbine::s3
