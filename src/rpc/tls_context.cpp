#include "rpc/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <limits>

#include "base/check.hpp"
#include "base/log.hpp"

namespace turbine::rpc {
namespace {

// AES-128 first: it takes less CPU than AES-256, and RFC 9325 asks for no more.
constexpr const char* kCipherSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr int kWarnDays = 30;

/// The first of what OpenSSL has noted; clears the rest.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "not in the form of PEM";
}

Result<> must_be_readable(const char* key, const std::string& path) {
  if (const Result<std::string> bytes = read_file(path); !bytes.ok()) {
    return fail(bytes.error().code, "tls.{}: {}; docs/DEPLOY.md says how to make it", key,
                bytes.error().context);
  }
  return {};
}

/// In place of OpenSSL's, which asks on the terminal and waits.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

bool is_numeric(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  const bool parsed = address != nullptr;
  ASN1_OCTET_STRING_free(address);
  ERR_clear_error();
  return parsed;
}

}  // namespace

Result<TlsFiles> read_tls_files(ConfigFile& file) {
  TlsFiles files;
  files.cert_file = TRY(file.text_or("tls.cert_file", ""));
  files.key_file = TRY(file.text_or("tls.key_file", ""));
  files.ca_file = TRY(file.text_or("tls.ca_file", ""));
  return files;
}

void write_tls_files(ConfigText& file, const TlsFiles& files) {
  if (files.empty()) return;
  file.set("tls.cert_file", files.cert_file);
  file.set("tls.key_file", files.key_file);
  file.set("tls.ca_file", files.ca_file);
}

TlsContext::TlsContext(TlsFiles files, ssl_ctx_st* context, uint64_t records_per_key)
    : files_(std::move(files)), context_(context), records_per_key_(records_per_key) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<TlsContextPtr> TlsContext::open(const TlsFiles& files) {
  for (const auto& [key, path] :
       {std::pair("cert_file", &files.cert_file), std::pair("key_file", &files.key_file),
        std::pair("ca_file", &files.ca_file)}) {
    if (path->empty()) {
      return fail(Errc::invalid, "tls.{} is missing: [tls] wants cert_file, key_file and ca_file",
                  key);
    }
    TRY(must_be_readable(key, *path));
  }
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  CHECK(context != nullptr);
  auto made = std::make_shared<TlsContext>(files, context);
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
  CHECK(SSL_CTX_set_ciphersuites(context, kCipherSuites) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // Nothing is resumed: each connection shows its certificates.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);  // peers have the authority's certificate
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, files.ca_file.c_str()) != 1) {
    return fail(Errc::invalid, "tls.ca_file {} holds no certificate: {}", files.ca_file,
                openssl_reason());
  }
  if (SSL_CTX_use_certificate_chain_file(context, files.cert_file.c_str()) != 1) {
    return fail(Errc::invalid, "tls.cert_file {} holds no certificate: {}", files.cert_file,
                openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return fail(Errc::invalid,
                "tls.key_file {} is not the key of {} as PEM without a passphrase: {}",
                files.key_file, files.cert_file, openssl_reason());
  }
  return made;
}

Result<> TlsContext::check_certificate() const {
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(context_, static_cast<void*>(&between));
  for (const auto& [purpose, who] :
       {std::pair("ssl_server", "server"), std::pair("ssl_client", "client")}) {
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> check(
        X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    CHECK(check != nullptr);
    CHECK(X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(context_),
                              SSL_CTX_get0_certificate(context_), between) == 1);
    CHECK(X509_STORE_CTX_set_default(check.get(), purpose) == 1);
    if (X509_verify_cert(check.get()) == 1) continue;
    const int reason = X509_STORE_CTX_get_error(check.get());
    ERR_clear_error();
    return fail(Errc::invalid,
                "tls.cert_file {}, as a {}'s, by the authority {}: {}; peers would refuse it, "
                "docs/DEPLOY.md says how to make a new one",
                files_.cert_file, who, files_.ca_file, X509_verify_cert_error_string(reason));
  }
  return {};
}

Result<> TlsContext::check_name(const std::string& host) const {
  X509* own = SSL_CTX_get0_certificate(context_);
  const bool named = is_numeric(host)
                         ? X509_check_ip_asc(own, host.c_str(), 0) == 1
                         : X509_check_host(own, host.data(), host.size(), 0, nullptr) == 1;
  if (named) return {};
  return fail(Errc::invalid,
              "tls.cert_file {} does not name {} in its subjectAltName: callers would refuse it; "
              "make one that does (docs/DEPLOY.md)",
              files_.cert_file, host);
}

int TlsContext::days_left() const {
  int days = 0, seconds = 0;
  const ASN1_TIME* end = X509_get0_notAfter(SSL_CTX_get0_certificate(context_));
  if (ASN1_TIME_diff(&days, &seconds, nullptr, end) != 1) return std::numeric_limits<int>::max();
  return seconds < 0 ? days - 1 : days;
}

ssl_st* TlsContext::new_session(const std::string& host) const {
  SSL* session = SSL_new(context_);
  CHECK(session != nullptr);
  if (!host.empty()) {
    const bool numeric = is_numeric(host);
    X509_VERIFY_PARAM* wanted = SSL_get0_param(session);
    CHECK((numeric ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                   : X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size())) == 1);
    if (!numeric) CHECK(SSL_set_tlsext_host_name(session, host.c_str()) == 1);
  }
  return session;
}

Result<TlsContextPtr> load_tls(const TlsFiles& files) {
  if (files.empty()) return TlsContextPtr();
  TlsContextPtr context = TRY(TlsContext::open(files));
  TRY(context->check_certificate());
  if (const int days = context->days_left(); days < kWarnDays) {
    log::warn("tls.cert_file {} ends in {} days: put a new one there and restart this process",
              files.cert_file, days);
  }
  return context;
}

}  // namespace turbine::rpc
