#include "rpc/handshake.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>

#include "base/byte_codec.hpp"
#include "base/rng.hpp"

namespace turbine::rpc {
namespace {

constexpr uint32_t kHelloMagic = 0x48425254;  // "TRBH"
constexpr uint32_t kHelloVersion = 1;

// RFC 8446, section 5.1: the type of a record, and the major version that follows it.
constexpr std::byte kTlsHandshake{22}, kTlsMajor{3};

}  // namespace

Nonce fresh_nonce() {
  Nonce nonce;
  secure_random(nonce);
  return nonce;
}

Hello encode_hello(const Nonce& nonce) {
  Hello hello;
  store_le(&hello[0], kHelloMagic);
  store_le(&hello[4], kHelloVersion);
  std::memcpy(&hello[8], nonce.data(), nonce.size());
  return hello;
}

Result<Nonce> decode_hello(const Hello& hello) {
  if (hello[0] == kTlsHandshake && hello[1] == kTlsMajor) {
    return fail(
        Errc::denied,
        "the peer speaks TLS and this listener does not; give this process a section [tls], "
        "or take it from the peer's");
  }
  if (load_le<uint32_t>(&hello[0]) != kHelloMagic) {
    return fail(Errc::denied, "the peer does not speak this protocol");
  }
  if (const auto version = load_le<uint32_t>(&hello[4]); version != kHelloVersion) {
    return fail(Errc::denied, "the peer speaks protocol version {}, not {}", version,
                kHelloVersion);
  }
  Nonce nonce;
  std::memcpy(nonce.data(), &hello[8], nonce.size());
  return nonce;
}

Proof make_proof(const std::string& secret, Side side, const Nonce& caller, const Nonce& server,
                 std::string_view channel) {
  std::string message = side == Side::caller ? "turbine caller " : "turbine server ";
  message.append(as_text(caller));
  message.append(as_text(server));
  message.append(channel);
  Proof proof{};
  unsigned int size = 0;
  const auto* made = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                          reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                          reinterpret_cast<unsigned char*>(proof.data()), &size);
  CHECK(made != nullptr && size == kProofBytes);
  return proof;
}

bool proofs_equal(const Proof& a, const Proof& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace turbine::rpc
