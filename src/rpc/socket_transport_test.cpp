// What only sockets do: stale files, strangers, limits.
#include "rpc/socket_transport.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

#include "base/rng.hpp"
#include "support/loop.hpp"

namespace turbine::rpc {
namespace {

using std::chrono::seconds;
using LocalSocket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

Task<Reply> echo(Request request) {
  co_return Reply{std::move(request.body), std::move(request.payload)};
}

class SocketTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("turbine-sock-{}-{}", ::getpid(), secure_random_text(6));
    address_ = "unix:" + path_.string();
  }
  void TearDown() override {
    if (listener_) EXPECT_TRUE(loop_.run(listener_->stop()).ok());
    for (auto& transport : transports_) EXPECT_TRUE(loop_.run(transport->stop()).ok());
    EXPECT_FALSE(std::filesystem::exists(path_)) << "stop() removes the socket file";
  }
  Transport& transport(TransportOptions options = {.secret = "array secret"}) {
    transports_.push_back(make_socket_transport(loop_.executor(), *loop_.clock, options));
    return *transports_.back();
  }
  Result<> listen(Transport& on) {
    listener_ = TRY(on.listen(address_, echo));
    return {};
  }
  Result<Reply> call(Transport& from) {
    Request request;
    request.body = "hello";
    return loop_.run(
        from.channel(address_)->call(std::move(request), loop_.clock->now() + seconds(10)));
  }
  /// What the server sends to somebody who sends `bytes`, until it closes; the proof's time-out is
  /// longer than the test's patience.
  std::string shout(std::string bytes) {
    return loop_.run(shout_on(loop_.executor(), path_.string(), std::move(bytes))).value();
  }
  static Task<std::string> shout_on(Executor executor, std::string path, std::string bytes) {
    LocalSocket socket(executor);
    UseAwaitable await;
    co_await socket.async_connect(asio::local::stream_protocol::endpoint(path), await);
    boost::system::error_code error;
    co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(await, error));
    std::string got;
    co_await asio::async_read(socket, asio::dynamic_buffer(got),
                              asio::redirect_error(await, error));
    co_return got;
  }

  test::Loop loop_;
  std::filesystem::path path_;
  Address address_;
  std::vector<std::unique_ptr<Transport>> transports_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(SocketTest, TakesOverASocketFileThatNobodyAnswersOn) {
  const int left = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::strncpy(name.sun_path, path_.c_str(), sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ::close(left);  // as after SIGKILL: the file stays
  ASSERT_TRUE(std::filesystem::exists(path_));
  Transport& here = transport();
  ASSERT_TRUE(listen(here).ok());
  EXPECT_TRUE(call(here).ok());
}

TEST_F(SocketTest, RefusesACallerWithAnotherSecret) {
  ASSERT_TRUE(listen(transport()).ok());
  const Result<Reply> reply = call(transport({.secret = "guess"}));
  EXPECT_TRUE(reply.failed_with(Errc::unavailable));
  EXPECT_NE(reply.error().context.find("secret"), std::string::npos);
}

TEST_F(SocketTest, GivesAStrangerNothingButAClosedConnection) {
  ASSERT_TRUE(listen(transport()).ok());
  EXPECT_EQ(shout("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: aaaaaaaaaaaaaa\r\n\r\n"), "");
  std::string guess(as_text(encode_hello(fresh_nonce())));
  EXPECT_EQ(shout(guess + std::string(kProofBytes, 'x')).size(), kNonceBytes)
      << "a challenge is all he sees";
  EXPECT_TRUE(call(transport()).ok()) << "others are still served";
}

TEST_F(SocketTest, ClosesConnectionsBeyondTheLimit) {
  TransportOptions options{.secret = "array secret"};
  options.connections_max = 2;
  ASSERT_TRUE(listen(transport(options)).ok());
  EXPECT_TRUE(call(transport()).ok());
  EXPECT_TRUE(call(transport()).ok());
  EXPECT_TRUE(call(transport()).failed_with(Errc::unavailable));
}

TEST_F(SocketTest, NamesAPathThatIsTooLong) {
  const auto listener = transport().listen("unix:/" + std::string(200, 'x'), echo);
  ASSERT_TRUE(listener.failed_with(Errc::invalid));
  EXPECT_NE(listener.error().context.find("107"), std::string::npos);
}

TEST(SocketAddress, ParsesNumericHostsOnly) {
  EXPECT_TRUE(parse_address("tcp:127.0.0.1:80").ok());
  EXPECT_TRUE(parse_address("tcp:[::1]:80").ok());
  EXPECT_TRUE(parse_address("tcp:localhost:0").ok());
  for (const char* bad : {"", "tcp:", "tcp:1.2.3.4", "tcp:1.2.3.4:", "tcp:1.2.3.4:70000",
                          "tcp:1.2.3.4:80x", "tcp:example.org:80", "unix:", "mem:x"}) {
    EXPECT_TRUE(parse_address(bad).failed_with(Errc::invalid)) << bad;
  }
}

}  // namespace
}  // namespace turbine::rpc
