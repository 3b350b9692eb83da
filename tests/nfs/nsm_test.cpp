// NSM version 1: clients that began anew, over TCP and UDP.
#include <boost/asio/ip/udp.hpp>

#include "nfs/datagram_server.hpp"
#include "nfs/nsm1.hpp"
#include "support/nfs_fixture.hpp"

namespace turbine::test {
namespace {

using nfs::AcceptStat;
using UdpClientSocket = asio::basic_datagram_socket<asio::ip::udp, Executor>;

class Nsm : public NfsFixture {
 protected:
  template <class Outcome, class Args>
  Outcome nsm(uint32_t procedure, const Args& args) {
    return call<Outcome>(nfs::kNsmProgram, nfs::kNsmVersion, procedure, args);
  }
  void lock(const std::string& address, const std::string& name, uint32_t state) {
    const fs::FileLock lock{file_, {address, name, "h", state}, {state, state + 1}, true};
    ASSERT_TRUE(loop_.run(locks_.lock({}, {}, lock, state, false)).ok());
  }
  size_t count() { return locks_.of(file_).size(); }
  InodeId file_ = file("f");
};

TEST_F(Nsm, AClientThatBeganAnewLosesItsOldLocksAndKeepsItsNewOnes) {
  lock("127.0.0.1", "client", 3);
  lock("127.0.0.1", "client", 5);
  lock("127.0.0.1", "other", 4);
  lock("127.0.0.2", "client", 2);
  nsm<nfs::VoidArgs>(6, nfs::NsmStatChangeArgs{{"client.example"}, 5});
  EXPECT_EQ(count(), 3U);
  nsm<nfs::VoidArgs>(6, nfs::NsmStatChangeArgs{{"client"}, 7});
  EXPECT_EQ(count(), 2U);
}

TEST_F(Nsm, IsNotAnsweredBeforeAllIsReleased) {
  start();
  lock("127.0.0.1", "client", 3);
  locks_.failure = Errc::unavailable;
  const std::string record =
      as_record(client_.call_bytes(nfs::kNsmProgram, 1, 6, nfs::NsmStatChangeArgs{{"client"}, 5}));
  ASSERT_TRUE(loop_.run(client_.send(record)).ok());
  nsm<nfs::VoidArgs>(0, nfs::VoidArgs{});
  EXPECT_EQ(count(), 1U);
  locks_.failure.reset();
  ASSERT_TRUE(loop_.run(client_.send(record)).ok());
  EXPECT_TRUE(loop_.run(client_.receive()).ok());
  EXPECT_EQ(count(), 0U);
}

TEST_F(Nsm, MonitorsNobodyAndForgetsNothing) {
  lock("127.0.0.1", "client", 3);
  const auto stat = nsm<nfs::NsmStatResult>(1, nfs::NsmNameArgs{{"client"}});
  EXPECT_EQ(stat.res_stat, nfs::NsmRes::fail);
  EXPECT_EQ(stat.state, 1U);
  EXPECT_EQ(nsm<nfs::NsmStatResult>(2, nfs::NsmMonArgs{}).res_stat, nfs::NsmRes::fail);
  EXPECT_EQ(nsm<nfs::NsmState>(3, nfs::NsmMonId{}).state, 1U);
  EXPECT_EQ(nsm<nfs::NsmState>(4, nfs::NsmMyId{}).state, 1U);
  nsm<nfs::VoidArgs>(5, nfs::VoidArgs{});
  EXPECT_EQ(count(), 1U);
}

TEST_F(Nsm, WhatIsMalformedOrUnknownIsRefused) {
  const auto stat_of = [&](uint32_t version, uint32_t procedure) {
    return ask(client_.call_bytes(nfs::kNsmProgram, version, procedure, nfs::VoidArgs{}))
        .header.stat;
  };
  for (const uint32_t procedure : {1U, 2U, 3U, 4U, 6U}) {
    EXPECT_EQ(stat_of(1, procedure), AcceptStat::garbage_args);
  }
  EXPECT_EQ(stat_of(1, 7), AcceptStat::proc_unavail);
  EXPECT_EQ(stat_of(2, 0), AcceptStat::prog_mismatch);
}

class NsmDatagrams : public Nsm {
 protected:
  void SetUp() override {
    start_locks({});
    datagrams_ = std::make_unique<nfs::DatagramServer>(
        env_, nfs::DatagramServer::Options{},
        std::vector<const nfs::Program*>{&nfs::nsm1_program(), &nfs::portmap2_program()});
    ASSERT_TRUE(datagrams_->start().ok());
    env_.ports = {{nfs::kNsmProgram, 1, 1234},
                  {nfs::kNsmProgram, 1, datagrams_->port(), nfs::kProtocolUdp}};
  }
  void TearDown() override {
    EXPECT_TRUE(loop_.run(datagrams_->stop()).ok());
    Nsm::TearDown();
  }
  static Task<std::string> exchange(UdpClientSocket* socket, asio::ip::udp::endpoint to,
                                    std::string message) {
    boost::system::error_code error;
    socket->send_to(asio::buffer(message), to, 0, error);
    std::string reply(8192, '\0');
    asio::ip::udp::endpoint from;
    auto [failed, size] = co_await socket->async_receive_from(asio::buffer(reply), from,
                                                              asio::as_tuple(UseAwaitable{}));
    if (failed) co_return fail(Errc::closed, "{}", failed.message());
    reply.resize(size);
    co_return reply;
  }
  RawReply ask_by_datagram(const std::string& message) {
    const auto answer = loop_.run(
        exchange(&socket_, {asio::ip::make_address("127.0.0.1"), datagrams_->port()}, message));
    RawReply reply;
    if (!answer.ok()) return reply;
    reply.record = Buffer::copy_of(std::string_view(*answer));
    nfs::XdrReader reader(reply.record);
    reply.good = nfs::read_reply(reader, reply.header);
    reply.results = as_text(reader.rest());
    return reply;
  }
  std::unique_ptr<nfs::DatagramServer> datagrams_;
  UdpClientSocket socket_{loop_.executor(), {asio::ip::make_address("127.0.0.1"), 0}};
};

TEST_F(NsmDatagrams, TellThatAClientBeganAnew) {
  lock("127.0.0.1", "client", 3);
  const RawReply reply = ask_by_datagram(
      client_.call_bytes(nfs::kNsmProgram, 1, 6, nfs::NsmStatChangeArgs{{"client"}, 5}));
  EXPECT_TRUE(reply.good);
  EXPECT_EQ(reply.header.stat, AcceptStat::success);
  EXPECT_EQ(reply.header.xid, client_.next_xid - 1);
  EXPECT_EQ(count(), 0U);
}

TEST_F(NsmDatagrams, AskThePortMapperForThePortOfDatagrams) {
  const RawReply reply = ask_by_datagram(client_.call_bytes(
      nfs::kPortmapProgram, 2, 3, nfs::Mapping{nfs::kNsmProgram, 1, nfs::kProtocolUdp, 0}));
  std::string expected;
  append_be<uint32_t>(expected, datagrams_->port());
  EXPECT_EQ(reply.results, expected);
}

TEST_F(NsmDatagrams, AreRefusedWhenMalformed) {
  const auto stat_of = [&](uint32_t program, uint32_t procedure) {
    return ask_by_datagram(client_.call_bytes(program, 1, procedure, nfs::VoidArgs{})).header.stat;
  };
  boost::system::error_code ignored;
  for (const std::string& junk :
       {std::string("x"), std::string(60, '\xff'), std::string(9000, 'j')}) {
    socket_.send_to(asio::buffer(junk), {asio::ip::make_address("127.0.0.1"), datagrams_->port()},
                    0, ignored);
  }
  EXPECT_EQ(stat_of(nfs::kNsmProgram, 6), AcceptStat::garbage_args);
  EXPECT_EQ(stat_of(nfs::kNsmProgram, 9), AcceptStat::proc_unavail);
  EXPECT_EQ(stat_of(nfs::kNfsProgram, 0), AcceptStat::prog_unavail);
  EXPECT_EQ(stat_of(nfs::kNsmProgram, 0), AcceptStat::success);
}

}  // namespace
}  // namespace turbine::test
