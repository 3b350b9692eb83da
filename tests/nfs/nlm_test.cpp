// NLM version 4: locks of clients, and calls back to them.
#include <functional>

#include "nfs/run_procedure.hpp"
#include "support/nfs_fixture.hpp"

namespace turbine::test {
namespace {

using nfs::AcceptStat;
using nfs::Nlm4Stats;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The lock manager of a client host, with its port mapper on one port. It answers GRANTED with
/// `answer` and keeps what it is called with.
struct ClientHost {
  inline static ClientHost* current = nullptr;
  Nlm4Stats answer = Nlm4Stats::granted;
  std::vector<nfs::Nlm4TestArgs> granted;
  std::vector<std::pair<uint32_t, nfs::Nlm4Result>> results;

  static nfs::NfsTask<nfs::Nlm4Result> take_granted(nfs::Request, nfs::Nlm4TestArgs args) {
    nfs::Nlm4Result result{args.cookie, current->answer};
    current->granted.push_back(std::move(args));
    co_return result;
  }
  static nfs::NfsTask<nfs::VoidArgs> take_result(nfs::Request request, nfs::Nlm4Result result) {
    current->results.emplace_back(request.call.header.procedure, std::move(result));
    co_return nfs::VoidArgs{};
  }
  inline static const nfs::Procedure kProcedures[] = {
      {5, "GRANTED", nfs::kRun<take_granted>},
      {12, "LOCK_RES", nfs::kRun<take_result>},
      {14, "UNLOCK_RES", nfs::kRun<take_result>},
  };
  inline static const nfs::Program kProgram{nfs::kNlmProgram, nfs::kNlmVersion, "nlm", kProcedures};

  ClientHost(Loop& loop, const nfs::Environment& env) : loop_(loop), env_(env) {
    current = this;
    server_ = std::make_unique<nfs::RpcServer>(
        env_, nfs::RpcServer::Options{},
        std::vector<const nfs::Program*>{&kProgram, &nfs::portmap2_program()});
    EXPECT_TRUE(server_->start().ok());
    env_.ports = {{nfs::kNlmProgram, nfs::kNlmVersion, server_->port()}};
  }
  ~ClientHost() { EXPECT_TRUE(loop_.run(server_->stop()).ok()); }
  uint16_t port() const { return server_->port(); }

 private:
  Loop& loop_;
  nfs::Environment env_;
  std::unique_ptr<nfs::RpcServer> server_;
};

class Nlm : public NfsFixture {
 protected:
  void SetUp() override {
    file_ = file("f");
    host_ = std::make_unique<ClientHost>(loop_, env_);
    options_.calls.portmap_port = host_->port();
    options_.call_again = milliseconds(5);
    options_.ask_again = milliseconds(5);
    options_.give_up = seconds(1);
    start_locks(options_);
  }

  template <class Outcome, class Args>
  Outcome nlm(uint32_t procedure, const Args& args) {
    return call<Outcome>(nfs::kNlmProgram, nfs::kNlmVersion, procedure, args);
  }
  nfs::Nlm4Lock named(uint32_t svid, uint64_t offset, uint64_t length) {
    nfs::Nlm4Lock lock;
    lock.caller_name.bytes = "client";
    lock.fh.bytes = as_text(handle(file_).view());
    lock.oh.bytes = "7@client";
    lock.svid = svid;
    lock.offset = offset;
    lock.length = length;
    return lock;
  }
  nfs::Nlm4LockArgs lock_args(uint32_t svid, uint64_t offset, uint64_t length, bool block = false,
                              bool exclusive = true) {
    return {{"cookie"}, block, exclusive, named(svid, offset, length), false, 3};
  }
  Nlm4Stats send(uint32_t procedure, const auto& args) {
    const auto result = nlm<nfs::Nlm4Result>(procedure, args);
    EXPECT_EQ(result.cookie.bytes, "cookie");
    return result.stat;
  }
  Nlm4Stats lock(const nfs::Nlm4LockArgs& args) { return send(2, args); }
  Nlm4Stats lock(uint32_t svid, uint64_t offset, uint64_t length) {
    return lock(lock_args(svid, offset, length));
  }
  Nlm4Stats unlock(uint32_t svid, uint64_t offset, uint64_t length) {
    return send(4, nfs::Nlm4UnlockArgs{{"cookie"}, named(svid, offset, length)});
  }
  Nlm4Stats cancel(const nfs::Nlm4LockArgs& args) {
    return send(3, nfs::Nlm4CancelArgs{args.cookie, true, args.exclusive, args.lock});
  }
  nfs::Nlm4TestResult test(uint32_t svid, uint64_t offset, uint64_t length) {
    return nlm<nfs::Nlm4TestResult>(
        1, nfs::Nlm4TestArgs{{"cookie"}, true, named(svid, offset, length)});
  }
  bool is_free(uint64_t offset, uint64_t length) {
    return test(99, offset, length).stat == Nlm4Stats::granted;
  }
  bool wait_until(const std::function<bool()>& done) {
    for (int i = 0; i < 30'000 && !done(); ++i) {
      (void)loop_.run(loop_.clock->sleep_for(milliseconds(1)));
    }
    return done();
  }
  void TearDown() override {
    NfsFixture::TearDown();
    host_.reset();
  }

  InodeId file_;
  std::unique_ptr<ClientHost> host_;
  nfs::LockService::Options options_;
};

TEST_F(Nlm, LocksExcludeOthersAndAreTested) {
  nlm<nfs::VoidArgs>(0, nfs::VoidArgs{});
  EXPECT_EQ(lock(1, 10, 20), Nlm4Stats::granted);
  EXPECT_EQ(lock(2, 29, 1), Nlm4Stats::denied);
  EXPECT_EQ(lock(2, 30, 0), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 10, false, false)), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(1, 0, 10, false, false)), Nlm4Stats::granted);
  const auto holder = test(2, 0, 0);
  EXPECT_EQ(holder.cookie.bytes, "cookie");
  EXPECT_EQ(holder.stat, Nlm4Stats::denied);
  EXPECT_FALSE(holder.holder.exclusive);
  EXPECT_EQ(holder.holder.svid, 1U);
  EXPECT_EQ(holder.holder.oh.bytes, "7@client");
  EXPECT_EQ(holder.holder.offset, 0U);
  EXPECT_EQ(holder.holder.length, 10U);
  const auto to_end = test(1, 1000, 1);
  EXPECT_TRUE(to_end.holder.exclusive);
  EXPECT_EQ(to_end.holder.offset, 30U);
  EXPECT_EQ(to_end.holder.length, 0U);
  EXPECT_EQ(unlock(1, 10, 20), Nlm4Stats::granted);
  EXPECT_EQ(unlock(1, 10, 20), Nlm4Stats::granted);
  EXPECT_TRUE(is_free(10, 20));
  EXPECT_EQ(locks_.last_who.uid, 1000U);
  EXPECT_EQ(locks_.of(file_).locks()[0].state, 3U);
  EXPECT_EQ(locks_.of(file_).locks()[0].owner.address, "127.0.0.1");
  EXPECT_EQ(locks_.of(file_).locks()[0].owner.name, "client");
}

TEST_F(Nlm, RangesEndWhereFilesDo) {
  constexpr uint64_t kMax = INT64_MAX;
  EXPECT_EQ(lock(1, kMax + 1, 1), Nlm4Stats::fbig);
  EXPECT_EQ(test(1, UINT64_MAX, 1).stat, Nlm4Stats::fbig);
  EXPECT_EQ(unlock(1, kMax + 1, 1), Nlm4Stats::fbig);
  EXPECT_EQ(lock(1, kMax, UINT64_MAX), Nlm4Stats::granted);
  EXPECT_EQ(locks_.of(file_).locks()[0].span, (meta::LockSpan{kMax, UINT64_MAX}));
}

TEST_F(Nlm, HandlesAndExportsAreChecked) {
  nfs::Nlm4LockArgs args = lock_args(1, 0, 1);
  args.lock.fh.bytes[20] ^= 1;
  EXPECT_EQ(lock(args), Nlm4Stats::stale_fh);
  args.lock.fh.bytes = "x";
  EXPECT_EQ(lock(args), Nlm4Stats::stale_fh);
  args.lock.fh.bytes = std::string(65, 'x');
  EXPECT_EQ(lock(args), Nlm4Stats::stale_fh);
  exports_.rows[0].access.read_only = true;
  ++exports_.changes;
  EXPECT_EQ(lock(1, 0, 1), Nlm4Stats::rofs);
  EXPECT_EQ(lock(lock_args(1, 0, 1, false, false)), Nlm4Stats::granted);
  exports_.rows[0].allowed = false;
  ++exports_.changes;
  EXPECT_EQ(lock(2, 0, 1), Nlm4Stats::stale_fh);
  EXPECT_EQ(unlock(1, 0, 1), Nlm4Stats::granted);  // what it holds it may give back
  EXPECT_TRUE(locks_.of(file_).empty());
}

TEST_F(Nlm, ErrorsOfTheArrayAreToldInItsWords) {
  const std::pair<Errc, Nlm4Stats> cases[] = {
      {Errc::stale, Nlm4Stats::stale_fh}, {Errc::denied, Nlm4Stats::failed},
      {Errc::invalid, Nlm4Stats::failed}, {Errc::no_space, Nlm4Stats::denied_nolocks},
      {Errc::io, Nlm4Stats::failed},      {Errc::corrupt, Nlm4Stats::failed},
  };
  for (const auto& [error, stat] : cases) {
    locks_.failure = error;
    EXPECT_EQ(lock(1, 0, 1), stat) << errc_name(error);
    EXPECT_EQ(unlock(1, 0, 1), stat);
    EXPECT_EQ(test(1, 0, 1).stat, stat);
    EXPECT_EQ(cancel(lock_args(1, 0, 1)), stat);
  }
}

// There is no word for "not now" but one of grace, which is never: the client sends it again.
TEST_F(Nlm, WhatCantBeAnsweredNowIsNot) {
  start();
  locks_.failure = Errc::unavailable;
  const std::string record =
      as_record(client_.call_bytes(nfs::kNlmProgram, nfs::kNlmVersion, 2, lock_args(1, 0, 1)));
  ASSERT_TRUE(loop_.run(client_.send(record)).ok());
  // The next call is answered, so the first one has ended.
  nlm<nfs::VoidArgs>(0, nfs::VoidArgs{});
  locks_.failure.reset();
  ASSERT_TRUE(loop_.run(client_.send(record)).ok());
  const auto reply = loop_.run(client_.receive());
  EXPECT_EQ(reply->header.stat, AcceptStat::success);
  EXPECT_FALSE(is_free(0, 1));
}

TEST_F(Nlm, ACallThatIsSentAgainHasTheSameIdentity) {
  start();
  const std::string record =
      as_record(client_.call_bytes(nfs::kNlmProgram, nfs::kNlmVersion, 2, lock_args(1, 0, 1)));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(loop_.run(client_.send(record)).ok());
    ASSERT_TRUE(loop_.run(client_.receive()).ok());
  }
  ASSERT_EQ(lock(1, 0, 1), Nlm4Stats::granted);
  ASSERT_EQ(locks_.mutations.size(), 3U);
  EXPECT_EQ(locks_.mutations[0].request, locks_.mutations[1].request);
  EXPECT_NE(locks_.mutations[0].request, locks_.mutations[2].request);
}

TEST_F(Nlm, WhoWaitsIsCalledBackWithTheLock) {
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 5, 0, true)), Nlm4Stats::blocked);
  EXPECT_EQ(lock(lock_args(2, 5, 0, true)), Nlm4Stats::blocked);  // asked again: waits once
  EXPECT_EQ(lock_service_->waiting(), 1U);
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  ASSERT_EQ(host_->granted.size(), 1U);
  const nfs::Nlm4TestArgs& told = host_->granted[0];
  EXPECT_TRUE(told.exclusive);
  EXPECT_EQ(xdr_bytes(told.lock), xdr_bytes(named(2, 5, 0)));
  EXPECT_FALSE(told.cookie.bytes.empty());
  EXPECT_FALSE(is_free(5, 1));
  EXPECT_TRUE(locks_.given_back.empty());
}

TEST_F(Nlm, WhatTheClientDoesNotAcceptIsGivenBack) {
  host_->answer = Nlm4Stats::denied;
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 100, true)), Nlm4Stats::blocked);
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  EXPECT_EQ(host_->granted.size(), 1U);
  EXPECT_TRUE(is_free(0, 0));
}

TEST_F(Nlm, AClientThatCantBeReachedLosesItsTurn) {
  host_.reset();
  options_.give_up = milliseconds(50);
  start_locks(options_);
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 100, true)), Nlm4Stats::blocked);
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  EXPECT_EQ(locks_.given_back.size(), 1U);
  EXPECT_TRUE(is_free(0, 0));
}

// Its call and the client's own question cross: what the client was answered stays.
TEST_F(Nlm, ALockThatTheClientHasAskedForAgainIsNotGivenBack) {
  host_->answer = Nlm4Stats::denied_grace_period;  // it does not know yet; told again and again
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 100, true)), Nlm4Stats::blocked);
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return host_->granted.size() > 1; }));
  EXPECT_EQ(lock(lock_args(2, 0, 100, true)), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  EXPECT_EQ(locks_.given_back.size(), 1U);  // in vain: by a claim that is no more
  EXPECT_FALSE(is_free(0, 100));
}

TEST_F(Nlm, WhoCancelsOrUnlocksWaitsNoMore) {
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  const auto waiting = lock_args(2, 0, 100, true);
  EXPECT_EQ(lock(waiting), Nlm4Stats::blocked);
  EXPECT_EQ(cancel(waiting), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  EXPECT_EQ(lock(waiting), Nlm4Stats::blocked);
  EXPECT_EQ(unlock(2, 0, 0), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(is_free(0, 0));
  EXPECT_TRUE(host_->granted.empty());
}

TEST_F(Nlm, WaitingOutlastsAnArrayThatCantAnswer) {
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 100, true)), Nlm4Stats::blocked);
  locks_.failure = Errc::timeout;
  const uint64_t before = locks_.waits;
  EXPECT_TRUE(wait_until([&] { return locks_.waits > before + 2; }));
  locks_.failure.reset();
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return host_->granted.size() == 1; }));
  locks_.failure = Errc::stale;
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
}

TEST_F(Nlm, WhoWaitsForAFileThatGoesWaitsNoMore) {
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 100, true)), Nlm4Stats::blocked);
  locks_.failure = Errc::stale;
  EXPECT_TRUE(wait_until([&] { return lock_service_->waiting() == 0; }));
  EXPECT_TRUE(host_->granted.empty());
}

TEST_F(Nlm, NotTooManyMayWaitAndCirclesAreTold) {
  options_.waiters_of_client_max = 1;
  start_locks(options_);
  EXPECT_EQ(lock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_EQ(lock(lock_args(2, 0, 1, true)), Nlm4Stats::blocked);
  EXPECT_EQ(lock(lock_args(3, 0, 1, true)), Nlm4Stats::denied_nolocks);
  locks_.deadlocks = true;
  EXPECT_EQ(lock(lock_args(3, 0, 1, true)), Nlm4Stats::deadlck);
  EXPECT_EQ(unlock(1, 0, 100), Nlm4Stats::granted);
  EXPECT_TRUE(wait_until([&] { return host_->granted.size() == 1; }));
}

TEST_F(Nlm, UnmonitoredLocksDoNotWaitAndGoWithTheirClient) {
  EXPECT_EQ(send(22, lock_args(1, 0, 100)), Nlm4Stats::granted);
  EXPECT_EQ(send(22, lock_args(2, 0, 100, true)), Nlm4Stats::denied);
  nlm<nfs::VoidArgs>(23, nfs::Nlm4NotifyArgs{{"another"}, 0});
  EXPECT_FALSE(is_free(0, 100));
  nlm<nfs::VoidArgs>(23, nfs::Nlm4NotifyArgs{{"client"}, 3});
  EXPECT_TRUE(is_free(0, 100));
}

TEST_F(Nlm, SharesExcludeWhatTheyDeny) {
  const auto share = [&](uint32_t procedure, const char* oh, nfs::Fsh4Access access,
                         nfs::Fsh4Mode deny) {
    nfs::Nlm4ShareArgs args;
    args.cookie.bytes = "cookie";
    args.caller_name.bytes = "client";
    args.fh.bytes = as_text(handle(file_).view());
    args.oh.bytes = oh;
    args.access = access;
    args.mode = deny;
    const auto result = nlm<nfs::Nlm4ShareResult>(procedure, args);
    EXPECT_EQ(result.cookie.bytes, "cookie");
    return result.stat;
  };
  using enum nfs::Fsh4Access;
  constexpr auto kDenyNone = nfs::Fsh4Mode::none;
  EXPECT_EQ(share(20, "a", reads, nfs::Fsh4Mode::writes), Nlm4Stats::granted);
  EXPECT_EQ(share(20, "b", both, kDenyNone), Nlm4Stats::denied);
  EXPECT_EQ(share(20, "b", reads, kDenyNone), Nlm4Stats::granted);
  EXPECT_EQ(share(21, "a", reads, nfs::Fsh4Mode::writes), Nlm4Stats::granted);
  EXPECT_EQ(share(20, "b", both, kDenyNone), Nlm4Stats::granted);
  exports_.rows[0].access.read_only = true;
  ++exports_.changes;
  EXPECT_EQ(share(20, "c", writes, kDenyNone), Nlm4Stats::rofs);
}

TEST_F(Nlm, ResultsOfMessagesAreCalledBack) {
  nlm<nfs::VoidArgs>(7, lock_args(1, 0, 100));
  EXPECT_TRUE(wait_until([&] { return host_->results.size() == 1; }));
  EXPECT_EQ(host_->results[0].first, nfs::kNlmLockRes);
  EXPECT_EQ(host_->results[0].second.cookie.bytes, "cookie");
  EXPECT_EQ(host_->results[0].second.stat, Nlm4Stats::granted);
  EXPECT_FALSE(is_free(0, 100));
  nlm<nfs::VoidArgs>(9, nfs::Nlm4UnlockArgs{{"cookie"}, named(1, 0, 100)});
  EXPECT_TRUE(wait_until([&] { return host_->results.size() == 2; }));
  EXPECT_EQ(host_->results[1].first, nfs::kNlmUnlockRes);
  EXPECT_TRUE(is_free(0, 100));
}

TEST_F(Nlm, ItWaitsForNobodyItself) {
  const nfs::Nlm4TestArgs args{{"cookie"}, true, named(1, 0, 1)};
  EXPECT_EQ(send(5, args), Nlm4Stats::denied);
  nlm<nfs::VoidArgs>(11, nfs::Nlm4TestResult{});
  for (const uint32_t result : {12U, 13U, 14U, 15U}) {
    nlm<nfs::VoidArgs>(result, nfs::Nlm4Result{});
  }
}

TEST_F(Nlm, WhatIsMalformedOrUnknownIsRefused) {
  const auto stat_of = [&](uint32_t version, uint32_t procedure, const std::string& args) {
    return ask(client_.call_bytes(nfs::kNlmProgram, version, procedure, nfs::VoidArgs{}) + args)
        .header.stat;
  };
  const std::string good = xdr_bytes(lock_args(1, 0, 1));
  for (const nfs::Procedure& procedure : nfs::nlm4_program().procedures) {
    if (procedure.number == 0) continue;
    EXPECT_EQ(stat_of(4, procedure.number, {}), AcceptStat::garbage_args) << procedure.name;
  }
  EXPECT_EQ(stat_of(4, 2, good.substr(0, good.size() - 4)), AcceptStat::garbage_args);
  EXPECT_EQ(stat_of(4, 2, good + std::string(4, '\0')), AcceptStat::garbage_args);
  for (const uint32_t unknown : {16U, 19U, 24U}) {
    EXPECT_EQ(stat_of(4, unknown, {}), AcceptStat::proc_unavail);
  }
  EXPECT_EQ(stat_of(3, 0, {}), AcceptStat::prog_mismatch);
  EXPECT_EQ(stat_of(1, 0, {}), AcceptStat::prog_mismatch);
  EXPECT_TRUE(is_free(0, 0));
}

}  // namespace
}  // namespace turbine::test
