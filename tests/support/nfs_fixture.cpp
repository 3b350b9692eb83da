#include "support/nfs_fixture.hpp"

#include <utility>

namespace turbine::test {

Task<std::optional<InodeId>> TestExports::find(std::string path) {
  if (failure) co_return fail(*failure, "as the test wants");
  for (const Row& row : rows) {
    if (row.path == path) co_return row.root;
  }
  co_return std::nullopt;
}

Task<std::optional<nfs::ExportAccess>> TestExports::access(InodeId root, nfs::ClientAddress) {
  ++asked;
  if (failure) co_return fail(*failure, "as the test wants");
  for (const Row& row : rows) {
    if (row.root == root && row.allowed) co_return row.access;
  }
  co_return std::nullopt;
}

Task<std::vector<nfs::ExportEntry>> TestExports::list() {
  if (failure) co_return fail(*failure, "as the test wants");
  std::vector<nfs::ExportEntry> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back({row.path, {"127.0.0.0/8"}});
  co_return out;
}

NfsFixture::NfsFixture() {
  bucket_ = files_.put(kRootInode, "photos", fs::FileType::directory);
  exports_.rows.push_back({"/photos", bucket_, {.secure = false}});
  client_.credential.flavor = nfs::kAuthSys;
  client_.credential.uid = 1000;
  client_.credential.gid = 100;
}

void NfsFixture::TearDown() {
  boost::system::error_code ignored;
  client_.socket().close(ignored);
  if (server_) EXPECT_TRUE(loop_.run(server_->stop(std::chrono::seconds(5))).ok());
  if (lock_service_) EXPECT_TRUE(loop_.run(lock_service_->stop()).ok());
}

void NfsFixture::start() {
  if (!lock_service_) start_locks({});
  server_ = std::make_unique<nfs::RpcServer>(
      env_, nfs::RpcServer::Options{.limits = limits_},
      std::vector{&nfs::nfs3_program(), &nfs::mount3_program(), &nfs::portmap2_program(),
                  &nfs::nlm4_program(), &nfs::nsm1_program()});
  ASSERT_TRUE(server_->start().ok());
  ASSERT_TRUE(loop_.run(client_.connect(server_->port())).ok());
}

void NfsFixture::start_locks(nfs::LockService::Options options) {
  lock_service_ = std::make_unique<nfs::LockService>(locks_, *loop_.clock, options);
  env_.locks = lock_service_.get();
}

RawReply NfsFixture::ask(const std::string& message) {
  if (!server_) start();
  EXPECT_TRUE(loop_.run(client_.send(as_record(message))).ok());
  auto reply = loop_.run(client_.receive());
  EXPECT_TRUE(reply.ok()) << reply.error().text();
  return reply.ok() ? std::move(*reply) : RawReply{};
}

InodeId NfsFixture::file(const std::string& name, std::string bytes) {
  return files_.put(bucket_, name, fs::FileType::regular, std::move(bytes));
}

}  // namespace turbine::test
