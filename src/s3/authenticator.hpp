// The one place where a request becomes somebody's. Everything else is refused.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "base/clock.hpp"
#include "s3/credentials.hpp"
#include "s3/sigv4.hpp"

namespace turbine::s3 {

/// What x-amz-content-sha256 says about the body. These values and no others are accepted.
enum class PayloadKind {
  unsigned_payload,            // UNSIGNED-PAYLOAD
  hashed,                      // 64 hex digits
  streaming_signed,            // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  streaming_signed_trailer,    // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
  streaming_unsigned_trailer,  // STREAMING-UNSIGNED-PAYLOAD-TRAILER
};

/// A request whose signature holds, and what its body is to be checked against.
struct Authentication {
  Principal principal;
  PayloadKind payload = PayloadKind::unsigned_payload;
  std::string payload_sha256;  // hashed: 64 hex digits
  // Where the chain of chunk signatures starts.
  Sha256 signing_key{};
  std::string timestamp, scope, seed_signature;
};

/// Verifies SigV4 in header or query. Rules: every x-amz-* header and host must be signed; header
/// and query credentials together are refused; the request's time may be off by 15 minutes; the
/// scope must name its day, this region and s3. An unknown key costs the same work as a wrong
/// signature.
class Authenticator {
 public:
  /// `region` empty: any region is accepted. Sources and clock must outlive it.
  Authenticator(const CredentialSource& credentials, const Clock& clock, std::string region)
      : credentials_(credentials), clock_(clock), region_(std::move(region)) {}

  S3Result<Authentication> authenticate(const RequestHead& head, const Uri& uri);
  void set_region(std::string region) { region_ = std::move(region); }
  const std::string& region() const { return region_; }

 private:
  S3Result<> check_time(const SignatureClaim& claim) const;
  S3Result<> check_scope(const SignatureClaim& claim) const;
  S3Result<> check_signed_headers(const RequestHead& head, const SignatureClaim& claim) const;
  const Sha256& signing_key(const SignatureClaim& claim, const std::string& secret);

  const CredentialSource& credentials_;
  const Clock& clock_;
  std::string region_;
  // Keys cost four HMACs; they change once a day. By secret, so that a replaced one never hits.
  std::map<std::tuple<std::string, std::string, std::string>, Sha256> keys_;
};

}  // namespace turbine::s3
