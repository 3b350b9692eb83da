#include "rpc/frame.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "rpc/handshake.hpp"

namespace turbine::rpc {
namespace {

constexpr size_t kMax = size_t{8} << 20;

std::string hex(ByteView bytes) {
  std::string out;
  for (const std::byte b : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(b));
  return out;
}

std::string random_text(Rng& rng, size_t size) {
  std::string text(size, '\0');
  rng.fill(std::as_writable_bytes(std::span(text)));
  return text;
}

std::string encode(FrameHeader header, const std::string& body, const std::string& payload,
                   bool payload_checksum) {
  const EncodedHeader head = encode_header(header, body, as_bytes(payload), payload_checksum);
  return std::string(as_text(head)) + body + payload;
}

/// Feeds `stream` in pieces of at most `piece` bytes; stops at the first error.
Result<std::vector<Frame>> read_all(std::string_view stream, size_t piece, size_t max = kMax) {
  FrameReader reader(max);
  std::vector<Frame> frames;
  while (!stream.empty()) {
    size_t left = std::min(piece, stream.size());
    size_t read = 0;
    for (const MutableByteView target : reader.prepare()) {
      const size_t count = std::min(left, target.size());
      if (count > 0) std::memcpy(target.data(), stream.data() + read, count);
      read += count;
      left -= count;
    }
    EXPECT_GT(read, 0U);
    reader.commit(read);
    stream.remove_prefix(read);
    for (;;) {
      std::optional<Frame> frame = TRY(reader.next());
      if (!frame) break;
      frames.push_back(std::move(*frame));
    }
  }
  return frames;
}

FrameHeader sample() {
  FrameHeader header;
  header.flags = kFrameReply;
  header.type = 0x1234;
  header.call = 0x1122334455667788;
  header.id = {SessionId(7), 9};
  header.age_ms = 250;
  header.epoch = Epoch(42);
  return header;
}

TEST(Frame, HeaderHasItsGoldenBytes) {
  const EncodedHeader plain = encode_header(sample(), "body", as_bytes("payload"), false);
  EXPECT_EQ(hex(plain),
            "54524231010134128877665544332211070000000000000009000000000000"
            "00fa0000000400000007000000000000002a00000000000000000000000000"
            "0000248928331e3dc877");
  const EncodedHeader checked = encode_header(sample(), "body", as_bytes("payload"), true);
  EXPECT_EQ(hex(checked),
            "54524231010534128877665544332211070000000000000009000000000000"
            "00fa0000000400000007000000000000002a000000000000009d9f3e333d33"
            "479d0ada9129285b1565");
}

TEST(FrameReader, FindsFramesHoweverTheStreamIsSplit) {
  Rng rng(1);
  std::string stream;
  std::vector<std::pair<std::string, std::string>> sent;
  for (const auto& [body, payload] : std::vector<std::pair<size_t, size_t>>{
           {0, 0}, {10, 0}, {0, 10}, {300, 20'000}, {5, 1}, {70'000, 0}, {3, 140'000}, {1, 1}}) {
    sent.emplace_back(random_text(rng, body), random_text(rng, payload));
    FrameHeader header = sample();
    header.call = sent.size();
    stream += encode(header, sent.back().first, sent.back().second, sent.size() % 2 == 0);
  }
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{72}, size_t{1000}, stream.size()}) {
    const Result<std::vector<Frame>> frames = read_all(stream, piece);
    ASSERT_TRUE(frames.ok()) << frames.error().text();
    ASSERT_EQ(frames->size(), sent.size());
    for (size_t i = 0; i < sent.size(); ++i) {
      const Frame& frame = (*frames)[i];
      EXPECT_EQ(frame.header.call, i + 1);
      EXPECT_EQ(frame.header.id.sequence, 9U);
      EXPECT_EQ(frame.body, sent[i].first);
      EXPECT_EQ(frame.payload.text(), sent[i].second);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(frame.payload.data()) % kPageBytes, 0U);
    }
  }
}

TEST(FrameReader, FindsFramesWithOneCutAtEveryByte) {
  const std::string first = encode(sample(), "first body", "and a payload", true);
  const std::string stream = first + encode(sample(), "second", "", false);
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    FrameReader reader(kMax);
    size_t found = 0;
    for (const std::string& part : {stream.substr(0, cut), stream.substr(cut)}) {
      size_t at = 0;
      while (at < part.size()) {
        size_t read = 0;
        for (const MutableByteView target : reader.prepare()) {
          const size_t count = std::min(part.size() - at - read, target.size());
          if (count > 0) std::memcpy(target.data(), part.data() + at + read, count);
          read += count;
        }
        reader.commit(read);
        at += read;
        for (;;) {
          const auto frame = reader.next();
          ASSERT_TRUE(frame.ok()) << cut << ": " << frame.error().text();
          if (!frame->has_value()) break;
          ++found;
        }
      }
    }
    EXPECT_EQ(found, 2U) << cut;
  }
}

TEST(FrameReader, RefusesEveryFlippedBit) {
  const std::string good = encode(sample(), "body", "payload", true);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const Result<std::vector<Frame>> frames = read_all(bad, 16);
    // A longer length leaves the frame waiting for bytes; nothing may be delivered.
    if (frames.ok()) EXPECT_TRUE(frames->empty()) << bit;
  }
}

TEST(FrameReader, RefusesALargeFrameBeforeAllocating) {
  FrameHeader header = sample();
  EncodedHeader bytes = encode_header(header, "", {}, false);
  bytes[39] = std::byte{0xFF};  // body of 4 GB
  EXPECT_EQ(read_all(as_text(bytes), 72).error().code, Errc::too_large);
  EXPECT_EQ(read_all(encode(header, "12345", "678901", false), 72, 10).error().code,
            Errc::too_large);
  EXPECT_TRUE(read_all(encode(header, "12345", "67890", false), 72, 10).ok());
}

TEST(ErrorBody, EveryCodeArrives) {
  int code = 1;
  for (; errc_name(static_cast<Errc>(code)) != "unknown error"; ++code) {
    EXPECT_EQ(decode_error(encode_error({static_cast<Errc>(code), "x"})).code,
              static_cast<Errc>(code));
  }
  EXPECT_GT(code, 27);
}

TEST(ErrorBody, KeepsCodeAndContext) {
  const Error error = decode_error(encode_error({Errc::no_space, "blade 3 is full"}));
  EXPECT_EQ(error.code, Errc::no_space);
  EXPECT_EQ(error.context, "blade 3 is full");
  EXPECT_EQ(decode_error("\xff\xff").code, Errc::corrupt);
  EXPECT_EQ(decode_error("").code, Errc::corrupt);
}

TEST(ErrorBody, NamesAnyBytes) {
  const Error error = decode_error(encode_error({Errc::not_found, "there is no caf\xe9"}));
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_EQ(error.context, "there is no caf\\xe9");
}

TEST(Handshake, ProofDependsOnSecretSideNoncesAndChannel) {
  const Nonce a = fresh_nonce(), b = fresh_nonce();
  const Proof proof = make_proof("secret", Side::caller, a, b, "");
  EXPECT_TRUE(proofs_equal(proof, make_proof("secret", Side::caller, a, b, "")));
  EXPECT_FALSE(proofs_equal(proof, make_proof("secret", Side::server, a, b, "")));
  EXPECT_FALSE(proofs_equal(proof, make_proof("Secret", Side::caller, a, b, "")));
  EXPECT_FALSE(proofs_equal(proof, make_proof("secret", Side::caller, b, a, "")));
  EXPECT_FALSE(proofs_equal(proof, make_proof("secret", Side::caller, a, b, "channel")));
  EXPECT_EQ(decode_hello(encode_hello(a)).value(), a);
  Hello other = encode_hello(a);
  other[4] = std::byte{9};
  EXPECT_TRUE(decode_hello(other).failed_with(Errc::denied));
}

TEST(Handshake, KeepsItsBytes) {
  Nonce caller, server;
  caller.fill(std::byte{1});
  server.fill(std::byte{2});
  EXPECT_EQ(hex(encode_hello(caller)).substr(0, 24), "545242480100000001010101");
  EXPECT_EQ(hex(make_proof("secret", Side::caller, caller, server, "")),
            "97557baf58517f0368c706abca88f7aba8f8ce75d6ed995e9459d89da2119f83");
  EXPECT_EQ(hex(make_proof("secret", Side::server, caller, server, "")),
            "a6c4ee957060f6d3237df250d18f14dcaaaff91aa8ebb9e594351696dd73e4ac");
  EXPECT_EQ(hex(make_proof("secret", Side::caller, caller, server, std::string(32, '\3'))),
            "01372f472a275e77c50d36e33c0b51491837a61ae22355a8c6725017bbf9fb88");
}

}  // namespace
}  // namespace turbine::rpc
