// Mutual proof of the array's secret, made once per connection (docs/format/frame.md).
#pragma once

#include <array>
#include <cstdint>
#include <string>

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
/// Errc::denied for anything but a hello of this version.
Result<Nonce> decode_hello(const Hello& hello);

enum class Side : uint8_t { caller, server };

/// HMAC-SHA256(secret, side, caller's nonce, server's nonce). The side keeps a proof from being
/// sent back to the one who made it.
Proof make_proof(const std::string& secret, Side side, const Nonce& caller, const Nonce& server);
/// In constant time.
bool proofs_equal(const Proof& a, const Proof& b);

}  // namespace turbine::rpc
