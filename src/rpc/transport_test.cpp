// What every transport promises; run for Unix sockets, TCP, TLS and the in-memory network.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/async.hpp"
#include "base/rng.hpp"
#include "rpc/mem_transport.hpp"
#include "rpc/rpc.hpp"
#include "rpc/tls_context.hpp"
#include "support/certificates.hpp"
#include "support/loop.hpp"

namespace turbine::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum MessageKind : uint16_t { kEcho = 1, kFail = 2, kHang = 3 };

class TransportTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 fmt::format("turbine-rpc-{}-{}", ::getpid(), secure_random_text(6));
    std::filesystem::create_directory(directory_);
    if (GetParam() == "tls") {
      support::make_authority(directory_, "ca");
      support::make_certificate(directory_, "node");
      tls_ = load_tls({directory_ / "node.pem", directory_ / "node.key", directory_ / "ca.pem"})
                 .value();
    }
    client_ = make("client");
    server_ = make("server");
    listen(first_address());
  }
  void TearDown() override {
    hang_.set({});
    stop_server();
    EXPECT_TRUE(loop_.run(client_->stop()).ok());
    EXPECT_TRUE(loop_.run(server_->stop()).ok());
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<Transport> make(const std::string& node) {
    if (GetParam() == "mem") return network_.attach(node);
    return make_socket_transport(loop_.executor(), *loop_.clock,
                                 {.secret = "array secret", .tls = tls_});
  }
  Address first_address() const {
    if (GetParam() == "mem") return "mem:server";
    if (GetParam() == "tcp" || GetParam() == "tls") return "tcp:127.0.0.1:0";
    return "unix:" + (directory_ / "s").string();
  }
  void listen(const Address& address) {
    auto listener = server_->listen(
        address, [this](Request request) { return handle(*this, std::move(request)); });
    ASSERT_TRUE(listener.ok()) << listener.error().text();
    listener_ = std::move(*listener);
    address_ = listener_->address();
  }
  void stop_server() {
    if (!listener_) return;
    EXPECT_TRUE(loop_.run(listener_->stop()).ok());
    listener_.reset();
  }
  static Task<Reply> handle(TransportTest& test, Request request) {
    ++test.handled_;
    if (request.type == kFail) co_return fail(Errc::no_space, "blade {} is full", 3);
    if (request.type == kHang) CO_TRY(co_await test.hang_.wait());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(request.payload.data()) % kPageBytes, 0U);
    co_return Reply{fmt::format("{}/{}/{}/{}/{}", request.body, request.id.session,
                                request.id.sequence, request.age_ms, request.epoch),
                    request.payload};
  }
  Request request(uint16_t type, std::string body, size_t payload_bytes = 0) {
    Request made;
    made.type = type;
    made.id = {SessionId(5), 6};
    made.age_ms = 7;
    made.epoch = Epoch(8);
    made.body = std::move(body);
    if (payload_bytes > 0) {
      made.payload = Buffer::allocate(payload_bytes);
      rng_.fill(made.payload.mutable_view());
    }
    return made;
  }
  TimePoint in(Duration duration) { return loop_.clock->now() + duration; }
  Result<Reply> call(Request request, Duration patience = seconds(20)) {
    return loop_.run(client_->channel(address_)->call(std::move(request), in(patience)));
  }

  test::Loop loop_;
  Rng rng_{3};
  MemNetwork network_{*loop_.clock, Rng(1)};
  std::filesystem::path directory_;
  TlsContextPtr tls_;
  std::unique_ptr<Transport> client_, server_;
  std::unique_ptr<Listener> listener_;
  Address address_;
  OneShot<> hang_{loop_.executor()};
  int handled_ = 0;
};

TEST_P(TransportTest, CarriesHeaderBodyAndPayload) {
  const Request sent = request(kEcho, "hello", 300'001);
  const Result<Reply> reply = call(sent);
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(reply->body, "hello/5/6/7/8");
  EXPECT_EQ(reply->payload.text(), sent.payload.text());
}

TEST_P(TransportTest, CarriesAnErrorAsCodeAndContext) {
  const Result<Reply> reply = call(request(kFail, ""));
  EXPECT_TRUE(reply.failed_with(Errc::no_space));
  EXPECT_EQ(reply.error().context, "blade 3 is full");
}

Task<> collect(std::vector<Task<Reply>> calls, std::vector<Result<Reply>>& out) {
  out = co_await when_all(std::move(calls));
  co_return Result<>{};
}

TEST_P(TransportTest, GivesEachOfManyCallsItsOwnReply) {
  constexpr size_t kCalls = 2000;  // more than a connection lets out at once
  std::vector<Task<Reply>> calls;
  std::vector<Buffer> payloads;
  const auto channel = client_->channel(address_);
  for (size_t i = 0; i < kCalls; ++i) {
    const size_t size = i % 50 == 0 ? 1'000'000 : i % 3 == 0 ? 5000 : 0;
    Request made = request(kEcho, std::to_string(i), size);
    payloads.push_back(made.payload);
    calls.push_back(channel->call(std::move(made), in(seconds(60))));
  }
  std::vector<Result<Reply>> replies;
  ASSERT_TRUE(loop_.run(collect(std::move(calls), replies)).ok());
  for (size_t i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(replies[i].ok()) << replies[i].error().text();
    EXPECT_TRUE(replies[i]->body.starts_with(std::to_string(i) + "/"));
    EXPECT_TRUE(replies[i]->payload.text() == payloads[i].text());
  }
}

TEST_P(TransportTest, SaysUnavailableWhenNobodyListens) {
  stop_server();
  EXPECT_TRUE(call(request(kEcho, "")).failed_with(Errc::unavailable));
  EXPECT_TRUE(call(request(kEcho, "")).failed_with(Errc::unavailable));
  EXPECT_EQ(handled_, 0);
}

TEST_P(TransportTest, SaysUnavailableWhenTheDeadlineHasPassedBeforeSending) {
  EXPECT_TRUE(call(request(kEcho, ""), milliseconds(-1)).failed_with(Errc::unavailable));
  EXPECT_EQ(handled_, 0);
}

TEST_P(TransportTest, SaysTimeoutWhenTheOutcomeIsNotKnown) {
  EXPECT_TRUE(call(request(kHang, ""), milliseconds(500)).failed_with(Errc::timeout));
  EXPECT_EQ(handled_, 1);
  EXPECT_TRUE(call(request(kEcho, "")).ok()) << "the connection serves other calls";
}

TEST_P(TransportTest, SaysTimeoutWhenTheServerGoesAfterSending) {
  std::optional<Result<Reply>> reply;
  asio::co_spawn(loop_.io, client_->channel(address_)->call(request(kHang, ""), in(seconds(20))),
                 [&](std::exception_ptr, Result<Reply> result) { reply = std::move(result); });
  while (handled_ == 0) loop_.io.run_one();
  const TimePoint before = loop_.clock->now();
  bool stopped = false;
  asio::co_spawn(loop_.io, listener_->stop(),
                 [&](std::exception_ptr, Result<>) { stopped = true; });
  while (!reply) loop_.io.run_one();
  EXPECT_TRUE(reply->failed_with(Errc::timeout));
  EXPECT_LT(loop_.clock->now() - before, seconds(10)) << "it waited for the deadline";
  EXPECT_FALSE(stopped) << "stop() returned before the handler";
  hang_.set({});
  while (!stopped) loop_.io.run_one();
  listener_.reset();
}

TEST_P(TransportTest, ReconnectsWhenTheServerIsBack) {
  ASSERT_TRUE(call(request(kEcho, "")).ok());
  stop_server();
  EXPECT_FALSE(call(request(kEcho, "")).ok());
  listen(address_);
  Result<Reply> reply = call(request(kEcho, "again"));
  for (int i = 0; i < 200 && !reply.ok(); ++i) {
    ASSERT_TRUE(loop_.run(loop_.clock->sleep_for(milliseconds(5))).ok());
    reply = call(request(kEcho, "again"));
  }
  EXPECT_TRUE(reply.ok()) << reply.error().text();
}

TEST_P(TransportTest, NamesAnAddressInUse) {
  auto other = make("other");
  auto second = other->listen(address_, [this](Request r) { return handle(*this, std::move(r)); });
  ASSERT_TRUE(second.failed_with(Errc::exists));
  EXPECT_NE(second.error().context.find(address_), std::string::npos);
  EXPECT_TRUE(call(request(kEcho, "")).ok()) << "the first one still serves";
  EXPECT_TRUE(loop_.run(other->stop()).ok());
}

TEST_P(TransportTest, RefusesATooLargeRequestAtTheCaller) {
  EXPECT_TRUE(call(request(kEcho, "", (size_t{8} << 20) + 1)).failed_with(Errc::too_large));
  EXPECT_TRUE(call(request(kEcho, "", (size_t{8} << 20) - 100)).ok());
}

TEST_P(TransportTest, SharesOneChannelPerAddressAndEndsCallsAtStop) {
  EXPECT_EQ(client_->channel(address_), client_->channel(address_));
  std::optional<Result<Reply>> reply;
  asio::co_spawn(loop_.io, client_->channel(address_)->call(request(kHang, ""), in(seconds(20))),
                 [&](std::exception_ptr, Result<Reply> result) { reply = std::move(result); });
  while (handled_ == 0) loop_.io.run_one();
  auto channel = client_->channel(address_);
  ASSERT_TRUE(loop_.run(client_->stop()).ok());
  while (!reply) loop_.io.run_one();
  EXPECT_FALSE(reply->ok());
  EXPECT_TRUE(
      loop_.run(channel->call(request(kEcho, ""), in(seconds(20)))).failed_with(Errc::closed));
}

INSTANTIATE_TEST_SUITE_P(Kinds, TransportTest, testing::Values("unix", "tcp", "tls", "mem"),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace turbine::rpc
