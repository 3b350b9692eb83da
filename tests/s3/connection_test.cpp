// HTTP over real sockets: keep-alive, pipelining, bodies that are read or not, slow and vanishing
// clients, limits. The handler knows nothing of S3.
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>

#include "base/async.hpp"
#include "s3/server.hpp"
#include "support/loop.hpp"

namespace turbine::test {
namespace {

using s3::BodyReader;
using s3::RequestHead;
using s3::ResponseHead;
using s3::ResponseWriter;
using s3::Socket;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kAwait = asio::as_tuple(UseAwaitable{});

size_t count(std::string_view text, std::string_view what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    ++found;
  }
  return found;
}
std::string body_of(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "no head: " + answer : answer.substr(end + 4);
}
std::string put(std::string_view target, std::string_view body, std::string_view fields = {}) {
  return fmt::format("PUT {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{}\r\n{}", target,
                     body.size(), fields, body);
}
const std::string kLast = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

class S3Connections : public testing::Test {
 protected:
  void start() {
    s3::HttpServer::Options options;
    options.limits = limits_;
    server_ = std::make_unique<s3::HttpServer>(
        *loop_.clock, options,
        [this](const auto& head, auto& body, auto& response) {
          return handle(head, body, response);
        },
        [](const Error& error) {
          ResponseHead head;
          head.status = error.code == Errc::busy ? 503 : 400;
          return std::pair(std::move(head), std::string(errc_name(error.code)));
        });
    ASSERT_TRUE(server_->start().ok());
  }
  void TearDown() override {
    if (server_) EXPECT_TRUE(loop_.run(server_->stop(seconds(5))).ok());
  }
  /// Runs a test's coroutine.
  void run(Task<> test) {
    if (!server_) start();
    const auto result = loop_.run(std::move(test));
    EXPECT_TRUE(result.ok()) << result.error().text();
  }

  /// "/ignore…" answers without a look at the body, "/cut" breaks its answer off, "/long" gives
  /// 4 MiB, all others give back target and body.
  Task<> handle(const RequestHead& head, BodyReader& body, ResponseWriter& response) {
    ++handled_;
    if (head.target().starts_with("/ignore")) {
      ResponseHead refused;
      refused.status = 403;
      co_return co_await response.send(std::move(refused), "refused");
    }
    if (head.target() == "/cut") {
      CO_TRY(co_await response.start({}, 10));
      CO_TRY(co_await response.write({Buffer::copy_of(std::string_view("hello"))}));
      co_return fail(Errc::io, "lost");
    }
    if (head.target() == "/long") {
      CO_TRY(co_await response.start({}, 4 << 20));
      for (int i = 0; i < 4; ++i) {
        CO_TRY(co_await response.write({Buffer::zeroed(1 << 20)}));
      }
      co_return Result<>{};
    }
    std::string text = std::string(head.target()) + ":";
    for (;;) {
      auto piece = co_await body.next();
      if (!piece.ok()) {
        body_error_ = piece.error().code;
        ResponseHead refused;
        refused.status = 400;
        co_return co_await response.send(std::move(refused),
                                         std::string(errc_name(piece.error().code)));
      }
      if (piece->empty()) break;
      text += piece->text();
    }
    co_return co_await response.send({}, std::move(text));
  }

  Task<Socket> connect() {
    Socket socket(loop_.executor());
    const auto [error] =
        co_await socket.async_connect({asio::ip::address_v4::loopback(), server_->port()}, kAwait);
    if (error) co_return fail(Errc::io, "{}", error.message());
    socket.set_option(asio::ip::tcp::no_delay(true));
    co_return socket;
  }
  static Task<> write(Socket& socket, std::string bytes) {
    const auto [error, count] = co_await asio::async_write(socket, asio::buffer(bytes), kAwait);
    if (error) co_return fail(Errc::closed, "{}", error.message());
    co_return Result<>{};
  }
  /// Until `end` has come, or the server has closed; appends to what came before.
  static Task<std::string> read_until(Socket& socket, std::string end, std::string text = {}) {
    while (end.empty() || text.find(end) == std::string::npos) {
      std::array<char, 16384> piece;
      const auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), kAwait);
      text.append(piece.data(), count);
      if (error == asio::error::eof) break;
      if (error) co_return fail(Errc::closed, "{} after {}", error.message(), text);
    }
    co_return text;
  }
  /// All that the server answers to `bytes` before it closes.
  Task<std::string> talk(std::string bytes) {
    Socket socket = CO_TRY(co_await connect());
    CO_TRY(co_await write(socket, std::move(bytes)));
    co_return co_await read_until(socket, "");
  }
  Task<> until_closed(size_t connections) {
    while (server_->connection_count() > connections) {
      CO_TRY(co_await loop_.clock->sleep_for(milliseconds(1)));
    }
    co_return Result<>{};
  }

  Loop loop_;
  s3::HttpLimits limits_;
  std::unique_ptr<s3::HttpServer> server_;
  int handled_ = 0;
  Errc body_error_ = Errc::ok;

  // The tests.
  Task<> pipelined() {
    const std::string all =
        CO_TRY(co_await talk(put("/a", "one") + put("/b", "") + put("/c", "3") + kLast));
    EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), 4u) << all;
    EXPECT_LT(all.find("/a:one"), all.find("/b:"));
    EXPECT_LT(all.find("/b:"), all.find("/c:3"));
    EXPECT_LT(all.find("/c:3"), all.find("/last:"));
    EXPECT_EQ(count(all, "Connection: close"), 1u);
    co_return Result<>{};
  }
  Task<> cut_everywhere() {
    const std::string chunked =
        "PUT /chunked HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n";
    const std::string bytes = "\r\n" + put("/a", "one") + chunked + "\r\n" + kLast;
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      Socket socket = CO_TRY(co_await connect());
      const int before = handled_;
      CO_TRY(co_await write(socket, bytes.substr(0, cut)));
      // The server has seen the first piece once it has handled what is whole in it.
      while (cut > 80 && handled_ == before) CO_TRY(co_await loop_.clock->sleep_for(Duration(0)));
      CO_TRY(co_await write(socket, bytes.substr(cut)));
      const std::string all = CO_TRY(co_await read_until(socket, ""));
      EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), 3u) << cut << all;
      EXPECT_NE(all.find("/a:one"), std::string::npos) << cut;
      EXPECT_NE(all.find("/chunked:abcde"), std::string::npos) << cut;
    }
    co_return Result<>{};
  }
  Task<> byte_by_byte() {
    Socket socket = CO_TRY(co_await connect());
    for (const char c : "\r\n" + put("/a", "one") + kLast) {
      CO_TRY(co_await write(socket, std::string(1, c)));
      CO_TRY(co_await loop_.clock->sleep_for(Duration(0)));
    }
    const std::string all = CO_TRY(co_await read_until(socket, ""));
    EXPECT_EQ(count(all, "HTTP/1.1 200 OK\r\n"), 2u) << all;
    co_return Result<>{};
  }
  Task<> expecting() {
    Socket socket = CO_TRY(co_await connect());
    CO_TRY(co_await write(socket,
                          "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                          "Expect: 100-continue\r\n\r\n"));
    const std::string asked = CO_TRY(co_await read_until(socket, "\r\n\r\n"));
    EXPECT_EQ(asked, "HTTP/1.1 100 Continue\r\n\r\n");
    CO_TRY(co_await write(socket, "hello"));
    EXPECT_EQ(body_of(CO_TRY(co_await read_until(socket, "hello"))), "/a:hello");
    // On the same connection, without waiting for leave.
    CO_TRY(co_await write(socket, put("/b", "at once", "Expect: 100-continue\r\n") + kLast));
    const std::string rest = CO_TRY(co_await read_until(socket, ""));
    EXPECT_NE(rest.find("/b:at once"), std::string::npos) << rest;
    co_return Result<>{};
  }
  Task<> refused_before_the_body() {
    const std::string all = CO_TRY(co_await talk(
        "PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    EXPECT_EQ(count(all, "100 Continue"), 0u);
    EXPECT_EQ(count(all, "HTTP/1.1 403"), 1u);
    EXPECT_EQ(count(all, "Connection: close"), 1u);
    co_return Result<>{};
  }
  Task<> unread_bodies() {
    // A body that has come is skipped, and the connection stays.
    const std::string kept = CO_TRY(co_await talk(put("/ignore", "small") + kLast));
    EXPECT_EQ(count(kept, "HTTP/1.1 403"), 1u);
    EXPECT_EQ(count(kept, "/last:"), 1u);
    // Another is never taken for requests, whatever it holds.
    handled_ = 0;
    std::string hidden;
    while (hidden.size() < 300'000) hidden += kLast;
    const std::string closed = CO_TRY(co_await talk(put("/ignore", hidden)));
    EXPECT_EQ(count(closed, "HTTP/1.1"), 1u) << closed;
    EXPECT_EQ(count(closed, "Connection: close"), 1u);
    EXPECT_EQ(body_of(closed), "refused");
    EXPECT_EQ(handled_, 1);
    const std::string chunked = CO_TRY(co_await talk(
        "PUT /ignore HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        "\r\n" +
        kLast));
    EXPECT_EQ(count(chunked, "HTTP/1.1"), 1u) << chunked;
    co_return Result<>{};
  }
  Task<> bad_heads() {
    for (const std::string_view head :
         {"GET / HTTP/1.1\r\n\r\n", "GET /\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\n\r\n"}) {
      handled_ = 0;
      const std::string all = CO_TRY(co_await talk(std::string(head) + kLast));
      EXPECT_TRUE(all.starts_with("HTTP/1.1 400 Bad Request\r\n")) << all;
      EXPECT_EQ(count(all, "HTTP/1.1"), 1u) << all;
      EXPECT_EQ(body_of(all), "invalid");
      EXPECT_EQ(handled_, 0);
    }
    const std::string newer = CO_TRY(co_await talk("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    EXPECT_EQ(body_of(newer), "not implemented");
    co_return Result<>{};
  }
  Task<> bad_chunks() {
    const std::string all = CO_TRY(co_await talk(
        "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello" + kLast));
    EXPECT_EQ(count(all, "HTTP/1.1"), 1u) << all;
    EXPECT_EQ(body_of(all), "invalid");
    EXPECT_EQ(body_error_, Errc::invalid);
    co_return Result<>{};
  }
  Task<> long_heads() {
    const std::string all =
        CO_TRY(co_await talk("GET / HTTP/1.1\r\nHost: h\r\nx: " + std::string(100'000, 'v')));
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400")) << all;
    EXPECT_EQ(body_of(all), "too large");
    co_return Result<>{};
  }
  Task<> slow_head() {
    const std::string all = CO_TRY(co_await talk("GET / HTTP/1.1\r\nHos"));
    EXPECT_EQ(body_of(all), "timed out");
    EXPECT_EQ(handled_, 0);
    co_return Result<>{};
  }
  Task<> slow_body() {
    Socket socket = CO_TRY(co_await connect());
    CO_TRY(co_await write(socket, "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel"));
    while (body_error_ == Errc::ok) CO_TRY(co_await loop_.clock->sleep_for(milliseconds(1)));
    EXPECT_EQ(body_error_, Errc::timeout);
    // Bytes that come too late must not turn the end of the connection into a reset.
    CO_TRY(co_await write(socket, "lo"));
    const std::string all = CO_TRY(co_await read_until(socket, ""));
    EXPECT_EQ(body_of(all), "timed out");
    EXPECT_EQ(count(all, "Connection: close"), 1u);
    co_return Result<>{};
  }
  Task<> idle_client() {
    EXPECT_EQ(CO_TRY(co_await talk("")), "");
    const std::string all = CO_TRY(co_await talk(put("/a", "x")));
    EXPECT_EQ(body_of(all), "/a:x");
    co_return Result<>{};
  }
  Task<> too_many() {
    Socket first = CO_TRY(co_await connect());
    Socket second = CO_TRY(co_await connect());
    CO_TRY(co_await write(first, put("/a", "1")));
    CO_TRY(co_await read_until(first, "/a:1"));
    CO_TRY(co_await write(second, put("/a", "2")));
    CO_TRY(co_await read_until(second, "/a:2"));
    const std::string refused = CO_TRY(co_await talk(put("/a", "3")));
    EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << refused;
    EXPECT_EQ(server_->connection_count(), 2u);
    first.close();
    CO_TRY(co_await until_closed(1));
    const std::string served = CO_TRY(co_await talk(kLast));
    EXPECT_EQ(body_of(served), "/last:");
    co_return Result<>{};
  }
  Task<> slow_client_harms_nobody() {
    std::vector<Socket> slow;
    for (int i = 0; i < 200; ++i) {
      slow.push_back(CO_TRY(co_await connect()));
      CO_TRY(co_await write(slow.back(), i % 2 == 0 ? "GET /"
                                                    : "PUT /a HTTP/1.1\r\nHost: h\r\n"
                                                      "Content-Length: 9000000\r\n\r\nx"));
    }
    EXPECT_EQ(body_of(CO_TRY(co_await talk(kLast))), "/last:");
    slow.clear();
    CO_TRY(co_await until_closed(0));
    co_return Result<>{};
  }
  Task<> clients_that_leave() {
    for (const std::string& bytes :
         {std::string("GET / HT"), put("/a", "x").substr(0, 60),
          "GET /long HTTP/1.1\r\nHost: h\r\n\r\n" + kLast, std::string()}) {
      Socket socket = CO_TRY(co_await connect());
      CO_TRY(co_await write(socket, bytes));
      socket.close();
    }
    CO_TRY(co_await until_closed(0));
    EXPECT_EQ(body_of(CO_TRY(co_await talk(kLast))), "/last:");
    co_return Result<>{};
  }
  Task<> broken_answers() {
    const std::string all = CO_TRY(co_await talk("GET /cut HTTP/1.1\r\nHost: h\r\n\r\n" + kLast));
    EXPECT_NE(all.find("Content-Length: 10\r\n"), std::string::npos);
    EXPECT_EQ(body_of(all), "hello");
    co_return Result<>{};
  }
  Task<> heads_without_bodies() {
    const std::string all =
        CO_TRY(co_await talk("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /long HTTP/1.1\r\nHost: h\r\n"
                             "Connection: close\r\n\r\n"));
    EXPECT_EQ(count(all, "Content-Length: 3\r\n"), 1u) << all;
    EXPECT_EQ(count(all, "Content-Length: 4194304\r\n"), 1u) << all;
    EXPECT_TRUE(all.ends_with("\r\n\r\n"));
    EXPECT_EQ(count(all, "/a:"), 0u);
    co_return Result<>{};
  }
  Task<> old_clients() {
    EXPECT_EQ(body_of(CO_TRY(co_await talk("GET /a HTTP/1.0\r\n\r\n"))), "/a:");
    co_return Result<>{};
  }
  Task<> stopping() {
    Socket idle = CO_TRY(co_await connect());
    CO_TRY(co_await write(idle, put("/a", "x")));
    CO_TRY(co_await read_until(idle, "/a:x"));
    Socket busy = CO_TRY(co_await connect());
    CO_TRY(co_await write(busy, "PUT /b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nha"));
    while (handled_ < 2) CO_TRY(co_await loop_.clock->sleep_for(milliseconds(1)));
    stopped_ = false;
    asio::co_spawn(loop_.io, server_->stop(seconds(30)),
                   [this](std::exception_ptr, Result<>) { stopped_ = true; });
    EXPECT_EQ(CO_TRY(co_await read_until(idle, "")), "");  // closed at once
    CO_TRY(co_await write(busy, "lf"));
    const std::string all = CO_TRY(co_await read_until(busy, ""));
    EXPECT_EQ(body_of(all), "/b:half");
    EXPECT_EQ(count(all, "Connection: close"), 1u);
    busy.close();
    while (!stopped_) CO_TRY(co_await loop_.clock->sleep_for(milliseconds(1)));
    co_return Result<>{};
  }
  bool stopped_ = false;
};

TEST_F(S3Connections, AnswerPipelinedRequestsInOrder) {
  run(pipelined());
}
TEST_F(S3Connections, ServeRequestsCutAnywhere) {
  run(cut_everywhere());
}
TEST_F(S3Connections, ServeRequestsByteByByte) {
  run(byte_by_byte());
}
TEST_F(S3Connections, AskForTheBodyAtOnce) {
  run(expecting());
}
TEST_F(S3Connections, DoNotAskForTheBodyOfARefusedRequest) {
  run(refused_before_the_body());
}
TEST_F(S3Connections, NeverTakeAnUnreadBodyForARequest) {
  run(unread_bodies());
}
TEST_F(S3Connections, EndBehindABadHead) {
  run(bad_heads());
}
TEST_F(S3Connections, EndBehindABadChunk) {
  run(bad_chunks());
}
TEST_F(S3Connections, RefuseHeadsWithoutEnd) {
  run(long_heads());
}
TEST_F(S3Connections, TellASlowClientThatItsHeadIsLate) {
  limits_.head_time = milliseconds(50);
  run(slow_head());
}
// The deadline that had passed once also ended the answer.
TEST_F(S3Connections, TellASlowClientThatItsBodyIsLate) {
  limits_.body_grace = milliseconds(50);
  run(slow_body());
}
TEST_F(S3Connections, EndWhenNothingComes) {
  limits_.idle_time = milliseconds(50);
  run(idle_client());
}
TEST_F(S3Connections, AreBounded) {
  limits_.connections_max = 2;
  run(too_many());
}
TEST_F(S3Connections, OfSlowClientsHarmNobody) {
  run(slow_client_harms_nobody());
}
TEST_F(S3Connections, SurviveClientsThatLeave) {
  run(clients_that_leave());
}
TEST_F(S3Connections, AreCutWhenAnAnswerBreaksOff) {
  run(broken_answers());
}
TEST_F(S3Connections, SendNoBodyForHead) {
  run(heads_without_bodies());
}
TEST_F(S3Connections, ServeHttp10AndClose) {
  run(old_clients());
}
TEST_F(S3Connections, FinishTheirAnswersWhenTheServerStops) {
  run(stopping());
  server_.reset();
}
TEST_F(S3Connections, ATakenPortIsNamed) {
  start();
  s3::HttpServer::Options options;
  options.port = server_->port();
  s3::HttpServer second(*loop_.clock, options, {}, {});
  const auto started = second.start();
  EXPECT_TRUE(started.failed_with(Errc::exists));
  EXPECT_NE(started.error().context.find(std::to_string(server_->port())), std::string::npos);
}

}  // namespace
}  // namespace turbine::test
