// Mutual proof of the array's secret, made once per connection (docs/format/frame.md).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/buffer.hpp"
#include "base/result.hpp"

namespace turbine::rpc {

inline constexpr size_t kNonceBytes = 32;
inline constexpr size_t kProofBytes = 32;
using Nonce = std::array<std::byte, kNonceBytes>;
using Proof = std::array<std::byte, kProofBytes>;

/// What a caller sends first: magic, protocol version and its nonce.
inline constexpr size_t kHelloBytes = 8 + kNonceBytes;
using Hello = std::array<std::byte, kHelloBytes>;

Nonce fresh_nonce();
Hello encode_hello(const Nonce& nonce);
/// Errc::denied for anything but a hello of this version; TLS is named.
Result<Nonce> decode_hello(const Hello& hello);

enum class Side : uint8_t { caller, server };

/// HMAC-SHA256(secret, side, caller's nonce, server's nonce, `channel`). The side keeps a proof
/// from being sent back to the one who made it. `channel` is what only the two ends of a TLS
/// session know (tls-exporter, RFC 9266) and empty without TLS: it keeps a proof from being passed
/// on to another session.
Proof make_proof(const std::string& secret, Side side, const Nonce& caller, const Nonce& server,
                 std::string_view channel);
/// In constant time.
bool proofs_equal(const Proof& a, const Proof& b);

}  // namespace turbine::rpc
