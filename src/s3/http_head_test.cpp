#include "s3/http_head.hpp"

#include <gtest/gtest.h>

namespace turbine::s3 {
namespace {

Result<RequestHead> parse(std::string_view text) {
  return RequestHead::parse(text);
}
/// A head with `fields` behind its Host, each with CR LF.
Result<RequestHead> with(std::string_view fields) {
  return parse(fmt::format("PUT /b/k HTTP/1.1\r\nHost: h\r\n{}\r\n", fields));
}

TEST(HttpHead, ReadsLineAndFields) {
  const auto head = parse(
      "GET /a%20b?x=1&y HTTP/1.1\r\nHost: example:9000\r\nX-Amz-Meta-A:\t two  words \t\r\n"
      "x-empty:\r\nx-twice: 1\r\nX-TWICE: 2\r\nx-utf: \xc3\xbc\r\n\r\n");
  ASSERT_TRUE(head.ok()) << head.error().context;
  EXPECT_EQ(head->method(), "GET");
  EXPECT_EQ(head->target(), "/a%20b?x=1&y");
  EXPECT_EQ(head->get("host"), "example:9000");
  EXPECT_EQ(head->get("x-amz-meta-a"), "two  words");
  EXPECT_TRUE(head->has("x-empty"));
  EXPECT_EQ(head->get("x-empty"), "");
  EXPECT_EQ(head->count("x-twice"), 2u);
  EXPECT_EQ(head->get("x-twice"), "1");
  EXPECT_EQ(head->get("x-utf"), "\xc3\xbc");
  EXPECT_FALSE(head->has("x-other"));
  EXPECT_FALSE(head->has_body());
  EXPECT_TRUE(head->keep_alive());
}

TEST(HttpHead, OwnsItsBytes) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto head = parse(text);
  text.assign(text.size(), 'x');
  EXPECT_EQ(head->get("host"), "h");
}

TEST(HttpHead, RefusesWhatIsNoHttp) {
  const std::string_view cases[] = {
      "\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n",
      "GET /\r\nHost: h\r\n\r\n",
      "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
      "GET / x HTTP/1.1\r\nHost: h\r\n\r\n",
      " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1.1\r\nHost: h\r\n\r\n",
      "GET / http/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/11\r\nHost: h\r\n\r\n",
      // Host
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost:\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
      // Fields
      "GET / HTTP/1.1\r\nHost: h\r\n x: folded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n\tfolded\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nx(y: 1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nx: a\x01z\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nx: a\x7fz\r\n\r\n",
      // Ends of lines
      "GET / HTTP/1.1\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\nx: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\rx: y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n",
      "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n",
  };
  for (const std::string_view text : cases) {
    EXPECT_TRUE(parse(text).failed_with(Errc::invalid)) << text;
  }
  using namespace std::string_view_literals;
  EXPECT_TRUE(parse("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"sv).failed_with(Errc::invalid));
  EXPECT_TRUE(parse("GET / HTTP/1.1\r\nHo\0st: h\r\n\r\n"sv).failed_with(Errc::invalid));
  EXPECT_TRUE(parse("GET / HTTP/1.1\r\nHost: h\0\r\n\r\n"sv).failed_with(Errc::invalid));
}

TEST(HttpHead, SpeaksHttp1Only) {
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\n\r\n").ok());
  EXPECT_TRUE(parse("GET / HTTP/2.0\r\nHost: h\r\n\r\n").failed_with(Errc::unsupported));
  EXPECT_TRUE(parse("PRI * HTTP/2.0\r\n\r\n").failed_with(Errc::unsupported));
}

// Anything that a proxy in front could read differently: request smuggling.
TEST(HttpHead, RefusesAmbiguousLengths) {
  const std::string_view cases[] = {
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\ncontent-length: 6\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length: +5\r\n",
      "Content-Length: -5\r\n",
      "Content-Length: 0x5\r\n",
      "Content-Length: 5 5\r\n",
      "Content-Length: 5.0\r\n",
      "Content-Length:\r\n",
      "Content-Length: 18446744073709551616\r\n",
      "Content-Length: 18446744073709551615\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunked;x=y\r\n",
      "Transfer-Encoding:\r\n",
  };
  for (const std::string_view fields : cases) {
    EXPECT_TRUE(with(fields).failed_with(Errc::invalid)) << fields;
  }
  EXPECT_TRUE(
      parse("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").failed_with(Errc::invalid));
}

TEST(HttpHead, TellsTheBodysFraming) {
  EXPECT_EQ(with("Content-Length: 0\r\n")->content_length(), 0u);
  EXPECT_FALSE(with("Content-Length: 0\r\n")->has_body());
  EXPECT_EQ(with("Content-Length: 007\r\n")->content_length(), 7u);
  EXPECT_TRUE(with("Transfer-Encoding: Chunked\r\n")->chunked());
  EXPECT_TRUE(with("Transfer-Encoding: chunked\r\n")->has_body());
  EXPECT_FALSE(with("")->content_length().has_value());
  EXPECT_TRUE(with("Expect: 100-Continue\r\n")->expects_continue());
  EXPECT_FALSE(with("Expect: 200-ok\r\n")->expects_continue());
  EXPECT_FALSE(parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->expects_continue());
}

TEST(HttpHead, KnowsWhetherTheConnectionStays) {
  EXPECT_TRUE(with("")->keep_alive());
  EXPECT_FALSE(with("Connection: close\r\n")->keep_alive());
  EXPECT_FALSE(with("Connection: x, CLOSE ,y\r\n")->keep_alive());
  EXPECT_FALSE(with("Connection: keep-alive\r\nConnection: close\r\n")->keep_alive());
  EXPECT_FALSE(parse("GET / HTTP/1.0\r\n\r\n")->keep_alive());
  EXPECT_TRUE(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive());
}

TEST(HttpHead, HasLimits) {
  const auto padded = [](size_t head_bytes) {
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nx: ";
    return start + std::string(head_bytes - start.size() - 4, 'v') + "\r\n\r\n";
  };
  EXPECT_TRUE(parse(padded(65'536)).ok());
  EXPECT_TRUE(parse(padded(65'537)).failed_with(Errc::too_large));

  const auto target = [](size_t line_bytes) {
    return "GET /" + std::string(line_bytes - 14, 'v') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  EXPECT_TRUE(parse(target(8192)).ok());
  EXPECT_TRUE(parse(target(8193)).failed_with(Errc::too_large));

  const auto fields = [](int count) {
    std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 1; i < count; ++i) text += "x: y\r\n";
    return text + "\r\n";
  };
  EXPECT_TRUE(parse(fields(100)).ok());
  EXPECT_TRUE(parse(fields(101)).failed_with(Errc::too_large));
}

TEST(HttpHead, FindsItsEndWhereverThePiecesEnd) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\nbody\r\n\r\n";
  const size_t end = text.find("body");
  for (size_t first = 0; first <= text.size(); ++first) {
    const size_t found = find_head_end(std::string_view(text).substr(0, first));
    EXPECT_EQ(found, first >= end ? end : std::string::npos) << first;
    if (first < end) EXPECT_EQ(find_head_end(text, first), end) << first;
  }
}

}  // namespace
}  // namespace turbine::s3
