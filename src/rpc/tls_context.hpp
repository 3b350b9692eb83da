// TlsContext: certificate, key and authority of a process, for TLS between the array's processes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/config_file.hpp"
#include "base/result.hpp"
#include "rpc/rpc.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace turbine::rpc {

/// PEM files; all three or none. The key has no passphrase: nobody is there to type it.
struct TlsFiles {
  std::string cert_file;  // of this process, followed by those between it and the authority
  std::string key_file;
  std::string ca_file;  // who must have signed the peers' certificates; no other is believed

  bool empty() const { return cert_file.empty() && key_file.empty() && ca_file.empty(); }
};

/// The section [tls] of a process's file; empty when it has none. Errc::invalid.
Result<TlsFiles> read_tls_files(ConfigFile& file);
void write_tls_files(ConfigText& file, const TlsFiles& files);

/// TLS 1.3 with certificates on both sides; immutable, shared by all connections of a process.
class TlsContext {
 public:
  /// AES-GCM may protect 2^24.5 full records with one key (RFC 8446, section 5.5).
  static constexpr uint64_t kRecordsPerKey = uint64_t{1} << 22;

  /// Owns `context`.
  TlsContext(TlsFiles files, ssl_ctx_st* context, uint64_t records_per_key = kRecordsPerKey);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// Reads the files as they are; whether anybody would believe them is not asked here.
  /// Errc::invalid and errors of reading name the file.
  static Result<TlsContextPtr> open(const TlsFiles& files);

  /// Errc::invalid unless peers with the same authority would believe the own certificate today, as
  /// a server's and as a client's.
  Result<> check_certificate() const;
  /// Errc::invalid unless the own certificate names `host` in its subjectAltName.
  Result<> check_name(const std::string& host) const;
  uint64_t records_per_key() const { return records_per_key_; }
  /// Of the own certificate; negative when it has expired.
  int days_left() const;

  /// A session for one connection, owned by the caller. `host` is the peer's, which its certificate
  /// must name; empty at a server.
  ssl_st* new_session(const std::string& host) const;

 private:
  const TlsFiles files_;
  ssl_ctx_st* const context_;
  const uint64_t records_per_key_;
};

/// What a process does at its start: opens, checks, and warns of a certificate that ends soon.
/// Null when `files` is empty.
Result<TlsContextPtr> load_tls(const TlsFiles& files);

}  // namespace turbine::rpc
