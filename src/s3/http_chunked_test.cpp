#include "s3/http_chunked.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

struct Outcome {
  bool valid = true, done = false;
  std::string payload;
  size_t taken = 0;
};

Outcome decode(std::string_view body, std::vector<size_t> cuts = {}) {
  HttpChunkedDecoder decoder;
  Outcome outcome;
  cuts.push_back(body.size());
  size_t at = 0;
  for (const size_t cut : cuts) {
    std::vector<Buffer> out;
    const auto taken = decoder.feed(Buffer::copy_of(body.substr(at, cut - at)), out);
    if (!taken.ok()) {
      EXPECT_EQ(taken.error().code, Errc::invalid);
      outcome.valid = false;
      return outcome;
    }
    for (const Buffer& piece : out) {
      EXPECT_FALSE(piece.empty());
      outcome.payload += piece.text();
    }
    outcome.taken += *taken;
    if (decoder.done()) break;
    EXPECT_EQ(*taken, cut - at);
    at = cut;
  }
  outcome.done = decoder.done();
  return outcome;
}

constexpr std::string_view kBody =
    "5;name=value\r\nhello\r\n00A\r\n, world!!!\r\n0\r\nx-trailer: yes\r\n\r\n";

TEST(HttpChunked, DecodesWhereverItIsCut) {
  const std::string text = std::string(kBody) + "GET / HTTP/1.1\r\n";
  std::vector<size_t> every;
  for (size_t first = 0; first <= text.size(); ++first) {
    const Outcome outcome = decode(text, {first});
    ASSERT_TRUE(outcome.done) << first;
    EXPECT_EQ(outcome.payload, "hello, world!!!");
    // What follows the body stays for the next request.
    EXPECT_EQ(outcome.taken, kBody.size());
    if (first < kBody.size()) EXPECT_FALSE(decode(text.substr(0, first)).done) << first;
    every.push_back(first);
  }
  EXPECT_EQ(decode(text, every).payload, "hello, world!!!");
}

TEST(HttpChunked, AnEmptyBodyIsDone) {
  EXPECT_TRUE(decode("0\r\n\r\n").done);
  EXPECT_TRUE(decode("0000000000000000\r\n\r\n").done);
}

TEST(HttpChunked, RefusesBadFraming) {
  const std::string bad[] = {
      "5\nhello\r\n0\r\n\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "5\r\nhello0\r\n\r\n",
      "5\r\nhello!\r\n0\r\n\r\n",
      "\r\n",
      "-5\r\nhello\r\n",
      "+5\r\nhello\r\n",
      "0x5\r\nhello\r\n",
      " 5\r\nhello\r\n",
      "5 \r\nhello\r\n",
      "g\r\n",
      ";x\r\n",
      "00000000000000005\r\n",
      "ffffffffffffffff\r\n",
      "10000000001\r\n",
      "5;a\x01\r\n",
      "5;a\rb\r\n",
      "5;" + std::string(600, 'x') + "\r\n",
      "5" + std::string(600, 'x'),
      "0\r\nno colon\r\n\r\n",
      "0\r\n: x\r\n\r\n",
      "0\r\na b: x\r\n\r\n",
      "0\r\n folded: x\r\n\r\n",
      "0\r\nx: \x01\r\n\r\n",
      "0\r\nx: y\n\r\n",
  };
  for (const std::string& body : bad) EXPECT_FALSE(decode(body).valid) << body;
}

TEST(HttpChunked, BoundsItsTrailer) {
  std::string body = "0\r\n";
  for (int i = 0; i < 100; ++i) body += "x: " + std::string(97, 'v') + "\r\n";
  EXPECT_FALSE(decode(body + "\r\n").valid);
}

}  // namespace
}  // namespace turbine::s3
