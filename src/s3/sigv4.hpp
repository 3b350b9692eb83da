// AWS Signature Version 4 as pure functions: canonical request, string to sign, keys.
// Source: "Authenticating Requests (AWS Signature Version 4)", S3 API reference.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "s3/digest.hpp"
#include "s3/http_head.hpp"
#include "s3/s3_error.hpp"
#include "s3/uri.hpp"

namespace turbine::s3 {

inline constexpr std::string_view kSigningAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a client says about its signature, from the header or the query.
struct SignatureClaim {
  std::string access_key;
  std::string date, region, service;        // of the credential scope
  std::vector<std::string> signed_headers;  // lower case, in the order given
  std::string signature;                    // 64 hex digits
  std::string timestamp;                    // "20130524T000000Z"
  bool presigned = false;
  uint64_t expires_s = 0;  // presigned only

  /// "20130524/us-east-1/s3/aws4_request"
  std::string scope() const;
};

/// Reads the Authorization header.
S3Result<SignatureClaim> parse_authorization(const RequestHead& head);
/// Reads X-Amz-Algorithm, -Credential, -Date, -Expires, -SignedHeaders, -Signature.
S3Result<SignatureClaim> parse_presigned(const Query& query);

/// Names and values encoded, sorted by encoded name, then value. `without`: a name to leave out;
/// empty: none.
std::string canonical_query(const Query& query, std::string_view without);
/// "name:value\n" of every signed header: values trimmed, runs of blanks made one, repeated headers
/// joined by commas.
std::string canonical_headers(const RequestHead& head, const std::vector<std::string>& names);
std::string canonical_request(const RequestHead& head, const Uri& uri, const SignatureClaim& claim,
                              std::string_view payload_hash);
std::string string_to_sign(const SignatureClaim& claim, std::string_view canonical);

Sha256 derive_signing_key(std::string_view secret, std::string_view date, std::string_view region,
                          std::string_view service);
/// 64 hex digits.
std::string sign(const Sha256& key, std::string_view text);

}  // namespace turbine::s3
