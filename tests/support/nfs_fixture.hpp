// An NFS server over in-memory files and a client of it, on one loop.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nfs/lock_service.hpp"
#include "nfs/mount3.hpp"
#include "nfs/nfs3_args.hpp"
#include "nfs/nfs3_results.hpp"
#include "nfs/portmap2.hpp"
#include "nfs/server.hpp"
#include "support/loop.hpp"
#include "support/memory_files.hpp"
#include "support/memory_locks.hpp"
#include "support/rpc_test_client.hpp"

namespace turbine::test {

class TestExports final : public nfs::Exports {
 public:
  struct Row {
    std::string path;
    InodeId root;
    nfs::ExportAccess access{};
    bool allowed = true;
  };
  std::vector<Row> rows;
  uint64_t changes = 1;

  std::optional<Errc> failure;  // of all calls, while it is set
  int asked = 0;                // calls of access()

  Task<std::optional<InodeId>> find(std::string path) override;
  Task<std::optional<nfs::ExportAccess>> access(InodeId root, nfs::ClientAddress) override;
  Task<std::vector<nfs::ExportEntry>> list() override;
  uint64_t generation() const override { return changes; }
};

class NfsFixture : public testing::Test {
 protected:
  NfsFixture();
  void TearDown() override;

  void start();
  void start_locks(nfs::LockService::Options options);

  /// Sends a record and waits for one.
  RawReply ask(const std::string& message);
  template <class Outcome, class Args>
  Outcome call(uint32_t program, uint32_t version, uint32_t procedure, const Args& args) {
    const RawReply reply = ask(client_.call_bytes(program, version, procedure, args));
    EXPECT_TRUE(reply.good && !reply.header.denied);
    EXPECT_EQ(reply.header.stat, nfs::AcceptStat::success);
    EXPECT_EQ(reply.header.xid, client_.next_xid - 1);
    last_results_ = Buffer::copy_of(std::string_view(reply.results));
    nfs::XdrReader reader(last_results_);
    Outcome outcome;
    reader(outcome);
    EXPECT_TRUE(reader.finished());
    return outcome;
  }
  template <class Outcome, class Args>
  Outcome nfs3(uint32_t procedure, const Args& args) {
    return call<Outcome>(nfs::kNfsProgram, nfs::kNfsVersion, procedure, args);
  }

  nfs::NfsFh3 handle(InodeId inode) { return handles_.encode({bucket_, inode}); }
  nfs::NfsFh3 root() { return handle(bucket_); }
  InodeId inode(const nfs::NfsFh3& handle) { return handles_.decode(handle)->inode; }
  InodeId file(const std::string& name, std::string bytes = {});

  Loop loop_;
  MemoryFiles files_;
  MemoryLocks locks_{*loop_.clock};
  std::unique_ptr<nfs::LockService> lock_service_;
  TestExports exports_;
  nfs::HandleCodec handles_{{nfs::SipKey{}}};
  nfs::Environment env_{files_, exports_, handles_, *loop_.clock, 0x1122334455667788, {}};
  nfs::RpcLimits limits_;
  InodeId bucket_;
  std::unique_ptr<nfs::RpcServer> server_;
  RpcTestClient client_{loop_};
  Buffer last_results_;
};

}  // namespace turbine::test
