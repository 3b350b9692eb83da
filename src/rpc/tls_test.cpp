// Who is let in over TLS and who is not, what either side says of it, and what a process refuses to
// start with. transport_test.cpp has what TLS shares with the other transports.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <spdlog/sinks/ostream_sink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <filesystem>
#include <sstream>

#include "base/async.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "rpc/tls_context.hpp"
#include "rpc/tls_stream.hpp"
#include "support/certificates.hpp"
#include "support/loop.hpp"

namespace turbine::rpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using support::make_certificate;
using testing::HasSubstr;
using ErrorCode = boost::system::error_code;

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 fmt::format("turbine-tls-{}-{}", ::getpid(), secure_random_text(6));
    std::filesystem::create_directory(directory_);
    support::make_authority(directory_, "ca");
    make_certificate(directory_, "server");
    make_certificate(directory_, "client");
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "", std::make_shared<spdlog::sinks::ostream_sink_st>(log_)));
  }
  void TearDown() override {
    if (listener_) EXPECT_TRUE(loop_.run(listener_->stop()).ok());
    for (auto& transport : transports_) EXPECT_TRUE(loop_.run(transport->stop()).ok());
    spdlog::set_default_logger(logger_before_);
    std::filesystem::remove_all(directory_);
  }

  std::string file(const std::string& name) const { return directory_ / name; }
  TlsFiles files(const std::string& name, const std::string& authority = "ca") const {
    return {file(name + ".pem"), file(name + ".key"), file(authority + ".pem")};
  }
  TlsContextPtr tls(const std::string& name, const std::string& authority = "ca") const {
    return TlsContext::open(files(name, authority)).value();
  }
  /// A caller's own: TLS 1.2 at most, or no certificate.
  SSL_CTX* odd_context(bool certificate, int version_max) const {
    SSL_CTX* context = SSL_CTX_new(TLS_method());
    SSL_CTX_set_max_proto_version(context, version_max);
    SSL_CTX_load_verify_file(context, file("ca.pem").c_str());
    if (certificate) {
      SSL_CTX_use_certificate_chain_file(context, file("client.pem").c_str());
      SSL_CTX_use_PrivateKey_file(context, file("client.key").c_str(), SSL_FILETYPE_PEM);
    }
    return context;
  }
  TlsContextPtr odd_tls(bool certificate, int version_max) const {
    return std::make_shared<TlsContext>(TlsFiles{}, odd_context(certificate, version_max));
  }

  Transport& transport(TlsContextPtr context, std::string secret = "array secret") {
    TransportOptions options;
    options.secret = std::move(secret);
    options.tls = std::move(context);
    transports_.push_back(make_socket_transport(loop_.executor(), *loop_.clock, options));
    return *transports_.back();
  }
  Result<> listen(TlsContextPtr context, const Address& address = "tcp:127.0.0.1:0") {
    listener_ = TRY(transport(std::move(context)).listen(address, [this](Request request) {
      return echo(handled_, std::move(request));
    }));
    address_ = listener_->address();
    return {};
  }
  static Task<Reply> echo(int& handled, Request request) {
    ++handled;
    co_return Reply{std::move(request.body), std::move(request.payload)};
  }
  Result<Reply> call(Transport& from) { return call(from, address_); }
  Result<Reply> call(Transport& from, const Address& address) {
    Request request;
    request.body = "hello";
    return loop_.run(
        from.channel(address)->call(std::move(request), loop_.clock->now() + seconds(20)));
  }
  /// Neither side has got anything from the other, and each says what it knows.
  void expect_refused(Transport& from, const std::string& caller_says,
                      const std::string& listener_says) {
    const Result<Reply> reply = call(from);
    ASSERT_TRUE(reply.failed_with(Errc::unavailable));
    EXPECT_THAT(reply.error().context, HasSubstr(address_));
    EXPECT_THAT(reply.error().context, HasSubstr(caller_says));
    EXPECT_EQ(handled_, 0);
    expect_logged(listener_says);
    EXPECT_THAT(log_.str(), HasSubstr("peer 127.0.0.1:"));
  }
  void expect_logged(const std::string& what) {
    const TimePoint end = loop_.clock->now() + seconds(20);
    while (!log_.str().contains(what) && loop_.clock->now() < end) {
      ASSERT_TRUE(loop_.run(loop_.clock->sleep_for(milliseconds(2))).ok());
    }
    EXPECT_THAT(log_.str(), HasSubstr(what));
  }

  test::Loop loop_;
  std::filesystem::path directory_;
  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> logger_before_ = spdlog::default_logger();
  std::vector<std::unique_ptr<Transport>> transports_;
  std::unique_ptr<Listener> listener_;
  Address address_;
  int handled_ = 0;
};

TEST_F(TlsTest, LetsInWhoHasACertificateOfTheAuthorityAndTheSecret) {
  ASSERT_TRUE(listen(load_tls(files("server")).value()).ok());
  const Result<Reply> reply = call(transport(load_tls(files("client")).value()));
  ASSERT_TRUE(reply.ok()) << reply.error().text();
  EXPECT_EQ(reply->body, "hello");
}

TEST_F(TlsTest, RefusesACallerWithTheCertificateButAnotherSecret) {
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(tls("client"), "guess"), "the proof of the array secret",
                 "does not hold this array's secret");
}

TEST_F(TlsTest, RefusesACallerOfAnotherAuthority) {
  support::make_authority(directory_, "other");
  make_certificate(directory_, "foreign", {.authority = "other"});
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(tls("foreign")), "the proof of the array secret",
                 "its certificate is refused: unable to get local issuer certificate");
}

TEST_F(TlsTest, RefusesAListenerOfAnotherAuthority) {
  support::make_authority(directory_, "other");
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(tls("client", "other")),
                 "its certificate is refused: unable to get local issuer certificate",
                 "it refused this process's certificate or TLS");
}

TEST_F(TlsTest, RefusesACallerWithoutACertificate) {
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(odd_tls(false, TLS1_3_VERSION)), "the proof of the array secret",
                 "it showed no certificate");
}

TEST_F(TlsTest, RefusesTls12) {
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(odd_tls(true, TLS1_2_VERSION)), "protocol version",
                 "both sides must speak TLS 1.3");
}

TEST_F(TlsTest, RefusesExpiredCertificatesOfEitherSide) {
  make_certificate(directory_, "old", {.days = -1});
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(tls("old")), "the proof of the array secret",
                 "its certificate is refused: certificate has expired");
  ASSERT_TRUE(loop_.run(listener_->stop()).ok());
  ASSERT_TRUE(listen(tls("old")).ok());
  expect_refused(transport(tls("client")), "its certificate is refused: certificate has expired",
                 "it refused this process's certificate or TLS: sslv3 alert certificate expired");
}

TEST_F(TlsTest, RefusesAListenerWhoseCertificateNamesAnotherAddress) {
  make_certificate(directory_, "everywhere", {.names = "IP:0.0.0.0,IP:127.0.0.2"});
  ASSERT_TRUE(listen(tls("everywhere"), "tcp:0.0.0.0:0").ok());
  const std::string port = address_.substr(address_.rfind(':'));
  EXPECT_TRUE(call(transport(tls("client")), "tcp:127.0.0.2" + port).ok());
  handled_ = 0;
  address_ = "tcp:127.0.0.1" + port;
  expect_refused(transport(tls("client")), "its certificate is refused: IP address mismatch",
                 "it refused this process's certificate or TLS");
}

TEST_F(TlsTest, DoesNotListenWhereTheOwnCertificateWouldBeRefused) {
  const Result<> listening = listen(tls("server"), "tcp:127.0.0.2:0");
  ASSERT_TRUE(listening.failed_with(Errc::invalid));
  EXPECT_THAT(listening.error().context, HasSubstr("server.pem does not name 127.0.0.2"));
  EXPECT_TRUE(listen(tls("server"), "tcp:localhost:0").failed_with(Errc::invalid));
}

TEST_F(TlsTest, ChecksANameWhereTheAddressHasOne) {
  make_certificate(directory_, "named", {.names = "DNS:localhost"});
  ASSERT_TRUE(listen(tls("named"), "tcp:localhost:0").ok());
  EXPECT_TRUE(call(transport(tls("client"))).ok());
  address_ = "tcp:127.0.0.1" + address_.substr(address_.rfind(':'));
  handled_ = 0;
  expect_refused(transport(tls("client")), "IP address mismatch", "it refused this process's");
}

TEST_F(TlsTest, RefusesAPlainCaller) {
  ASSERT_TRUE(listen(tls("server")).ok());
  expect_refused(transport(nullptr), "if it has a section [tls], so must this one",
                 "no TLS: it does not speak TLS; give the process there a section [tls]");
}

TEST_F(TlsTest, IsRefusedByAPlainListener) {
  ASSERT_TRUE(listen(nullptr).ok());
  expect_refused(transport(tls("client")), "has it a section [tls], as this one has?",
                 "the peer speaks TLS and this listener does not; give this process a section");
}

TEST_F(TlsTest, LeavesUnixSocketsPlain) {
  ASSERT_TRUE(listen(tls("server"), "unix:" + file("socket")).ok());
  EXPECT_TRUE(call(transport(nullptr)).ok());
  EXPECT_TRUE(call(transport(tls("client"))).ok());
}

TEST_F(TlsTest, CutsOffAStrangerWhoStopsInTheMiddleOfTheHandshake) {
  ASSERT_TRUE(listen(tls("server")).ok());
  using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
  TcpSocket silent(loop_.executor()), half(loop_.executor());
  const asio::ip::tcp::endpoint to(
      asio::ip::make_address("127.0.0.1"),
      static_cast<uint16_t>(std::stoi(address_.substr(address_.rfind(':') + 1))));
  silent.connect(to);
  half.connect(to);
  const std::string record("\x16\x03\x01\x02\x00\x01\x00", 7);  // of 512 bytes, says its head
  ASSERT_EQ(half.send(asio::buffer(record)), record.size());
  const TimePoint begin = loop_.clock->now();
  int ended = 0;
  char byte = 0;
  for (TcpSocket* socket : {&silent, &half}) {
    socket->async_read_some(asio::buffer(&byte, 1), [&](const ErrorCode& error, size_t) {
      EXPECT_TRUE(error);
      ++ended;
    });
  }
  while (ended < 2) loop_.io.run_one();
  EXPECT_GE(loop_.clock->now() - begin, seconds(4));
  EXPECT_LT(loop_.clock->now() - begin, seconds(10)) << "a stranger is granted 5 s";
  expect_logged("no TLS handshake and proof in time");
  EXPECT_TRUE(call(transport(tls("client"))).ok());
}

/// For SSL_CTX_set_msg_callback(): counts the KeyUpdates of both directions in the int at `count`.
void count_key_updates(int, int, int type, const void* message, size_t, SSL*, void* count) {
  const bool is_one =
      type == SSL3_RT_HANDSHAKE && *static_cast<const uint8_t*>(message) == SSL3_MT_KEY_UPDATE;
  if (is_one) ++*static_cast<int*>(count);
}

TEST_F(TlsTest, ChangesTheKeyAfterSoManyRecordsInTheMidstOfTraffic) {
  constexpr size_t kCalls = 20, kBytes = 500'000, kRecordsPerKey = 10;
  int updates = 0;
  SSL_CTX* context = odd_context(true, TLS1_3_VERSION);
  SSL_CTX_set_msg_callback(context, count_key_updates);
  SSL_CTX_set_msg_callback_arg(context, &updates);
  ASSERT_TRUE(listen(std::make_shared<TlsContext>(TlsFiles{}, odd_context(true, TLS1_3_VERSION),
                                                  kRecordsPerKey))
                  .ok());
  const auto channel = transport(std::make_shared<TlsContext>(TlsFiles{}, context, kRecordsPerKey))
                           .channel(address_);
  Buffer payload = Buffer::allocate(kBytes);
  Rng(1).fill(payload.mutable_view());
  size_t replies = 0;
  for (size_t i = 0; i < kCalls; ++i) {
    Request request;
    request.payload = payload;
    asio::co_spawn(loop_.io, channel->call(std::move(request), loop_.clock->now() + seconds(20)),
                   [&](std::exception_ptr, Result<Reply> reply) {
                     EXPECT_TRUE(reply.ok() && reply->payload.text() == payload.text());
                     ++replies;
                   });
  }
  while (replies < kCalls) loop_.io.run_one();
  EXPECT_GE(updates, 2 * kCalls * kBytes / TlsStream::kRecordBytes / kRecordsPerKey);
}

// --- somebody in the middle ------------------------------------------------------------------

struct Middle {
  Socket caller, server;
  std::shared_ptr<TlsStream> to_caller, to_server;
};

/// Passes on what `from` says to `to`, until one of them ends, and then ends both.
Task<> pass_on(Middle& middle, std::shared_ptr<TlsStream> from, std::shared_ptr<TlsStream> to) {
  std::array<std::byte, 4096> bytes;
  while (true) {
    auto [error, count] = co_await from->read_some({asio::buffer(bytes)});
    if (error) break;
    if (co_await to->write_all(asio::buffer(bytes.data(), count))) break;
  }
  ErrorCode ignored;
  middle.caller.close(ignored);
  middle.server.close(ignored);
  co_return Result<>{};
}

/// Holds a certificate of the authority, for the very address, but not the secret.
Task<> stand_between(Middle& middle, Endpoint server, TlsContextPtr context) {
  auto [error] = co_await middle.server.async_connect(server, kAwait);
  if (error) co_return fail(Errc::unavailable, "{}", error.message());
  middle.to_server = TlsStream::make(middle.server, *context, Side::caller, "127.0.0.1");
  middle.to_caller = TlsStream::make(middle.caller, *context, Side::server, "");
  CO_TRY(co_await middle.to_server->handshake());
  CO_TRY(co_await middle.to_caller->handshake());
  std::vector<Task<>> ways;
  ways.push_back(pass_on(middle, middle.to_caller, middle.to_server));
  ways.push_back(pass_on(middle, middle.to_server, middle.to_caller));
  for (auto& ended : co_await when_all(std::move(ways))) CO_TRY(std::move(ended));
  co_return Result<>{};
}

TEST_F(TlsTest, KeepsAProofFromBeingPassedOnByAHolderOfACertificate) {
  ASSERT_TRUE(listen(tls("server")).ok());
  const Endpoint server = parse_address(address_).value().endpoint;
  const Address between = "tcp:127.0.0.1:0";
  asio::posix::basic_stream_descriptor<Executor> acceptor(loop_.executor(),
                                                          open_listening(between).value());
  Middle middle{Socket(loop_.executor()), Socket(loop_.executor()), nullptr, nullptr};
  std::optional<Result<>> outcome;
  acceptor.async_wait(asio::posix::descriptor_base::wait_read, [&](const ErrorCode& error) {
    ASSERT_FALSE(error);
    const int accepted = ::accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK);
    middle.caller.assign(asio::generic::stream_protocol(AF_INET, 0), accepted);
    asio::co_spawn(loop_.io, stand_between(middle, server, tls("server")),
                   [&](std::exception_ptr, Result<> ended) { outcome = std::move(ended); });
  });
  const Result<Reply> reply =
      call(transport(tls("client")), bound_address(between, acceptor.native_handle()));
  EXPECT_TRUE(reply.failed_with(Errc::unavailable));
  EXPECT_EQ(handled_, 0);
  expect_logged("does not hold this array's secret, or somebody stands between");
  ErrorCode ignored;
  middle.caller.close(ignored);
  middle.server.close(ignored);
  while (!outcome) loop_.io.run_one();
  EXPECT_TRUE(outcome->ok()) << outcome->error().text();
}

// --- what a process starts with --------------------------------------------------------------

TEST_F(TlsTest, RefusesToStartWithFilesThatPeersWouldRefuse) {
  support::make_authority(directory_, "other");
  make_certificate(directory_, "old", {.days = -1});
  make_certificate(directory_, "half", {.usage = "serverAuth"});
  support::output_of(
      fmt::format("cd {} && openssl pkey -aes128 -passout pass:word -in client.key "
                  "-out locked.key && echo nothing > empty.pem",
                  directory_.string()));
  const auto expect_error = [&](const TlsFiles& wrong, const std::string& what) {
    const Result<TlsContextPtr> loaded = load_tls(wrong);
    ASSERT_FALSE(loaded.ok()) << what;
    EXPECT_THAT(loaded.error().context, HasSubstr(what));
  };
  expect_error({file("server.pem"), "", file("ca.pem")}, "tls.key_file is missing");
  expect_error(files("absent"), "absent.pem");
  expect_error({file("client.pem"), file("server.key"), file("ca.pem")},
               "is not the key of " + file("client.pem"));
  expect_error({file("client.pem"), file("locked.key"), file("ca.pem")}, "without a passphrase");
  expect_error({file("empty.pem"), file("client.key"), file("ca.pem")},
               "empty.pem holds no certificate");
  expect_error({file("client.pem"), file("client.key"), file("empty.pem")},
               "tls.ca_file " + file("empty.pem") + " holds no certificate");
  expect_error(files("old"), "certificate has expired");
  expect_error(files("client", "other"), "unable to get local issuer certificate");
  expect_error(files("half"), "as a client's");
  EXPECT_TRUE(load_tls({}).value() == nullptr);
}

TEST_F(TlsTest, WarnsOfACertificateThatEndsSoon) {
  ASSERT_TRUE(load_tls(files("client")).ok());
  EXPECT_THAT(log_.str(), HasSubstr("client.pem ends in "));
  make_certificate(directory_, "lasting", {.days = 90});
  log_.str("");
  ASSERT_TRUE(load_tls(files("lasting")).ok());
  EXPECT_EQ(log_.str(), "");
}

TEST(TlsFiles, AreASectionOfAProcessesFile) {
  const TlsFiles files{"/cert.pem", "/key.pem", "/ca.pem"};
  ConfigText text("test");
  write_tls_files(text, files);
  ConfigFile file = ConfigFile::parse(text.text(), "test.toml").value();
  const TlsFiles read = read_tls_files(file).value();
  EXPECT_TRUE(file.finish().ok());
  EXPECT_EQ(read.cert_file, files.cert_file);
  EXPECT_EQ(read.key_file, files.key_file);
  EXPECT_EQ(read.ca_file, files.ca_file);
  ConfigText none("test");
  write_tls_files(none, {});
  EXPECT_FALSE(none.text().contains("tls"));
}

}  // namespace
}  // namespace turbine::rpc
