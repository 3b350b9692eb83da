// Every message of NFS and MOUNT against what rpcgen makes of proto/nfs3.x: random values that we
// encode are read by the one and written again, to the same bytes, which we decode.
#include <gtest/gtest.h>

// rpcgen's output, in the global namespace and in C.
#include "nfs/nfs3_args.hpp"
#include "nfs/nfs3_results.hpp"
#include "nfs3.h"
#include "support/random_xdr.hpp"

namespace turbine::test {
namespace {

constexpr int kRounds = 300;

template <class T>
std::string encoded(const T& value) {
  nfs::GatherList list;
  nfs::XdrWriter writer(list);
  writer(value);
  std::string out;
  while (!list.empty()) {
    std::array<asio::const_buffer, 1> piece;
    list.gather(piece);
    out.append(static_cast<const char*>(piece[0].data()), piece[0].size());
    list.consume(piece[0].size());
  }
  return out;
}

/// What the oracle writes after it has read all of `bytes`; its complaint otherwise.
template <class Theirs>
std::string through_oracle(std::string bytes, bool_t (*codec)(XDR*, Theirs*)) {
  Theirs value{};
  XDR in, out;
  xdrmem_create(&in, bytes.data(), static_cast<u_int>(bytes.size()), XDR_DECODE);
  if (codec(&in, &value) == 0) return "not understood";
  if (xdr_getpos(&in) != bytes.size()) return "not read to the end";
  std::string written(bytes.size() + 100, '\0');
  xdrmem_create(&out, written.data(), static_cast<u_int>(written.size()), XDR_ENCODE);
  if (codec(&out, &value) == 0) return "not written";
  written.resize(xdr_getpos(&out));
  in.x_op = XDR_FREE;
  codec(&in, &value);
  return written;
}

/// What we read of what the oracle writes.
template <class Ours, class Theirs>
Ours from_oracle(Theirs value, bool_t (*codec)(XDR*, Theirs*)) {
  std::string bytes(1000, '\0');
  XDR out;
  xdrmem_create(&out, bytes.data(), static_cast<u_int>(bytes.size()), XDR_ENCODE);
  EXPECT_NE(codec(&out, &value), 0);
  const Buffer buffer = Buffer::copy_of(std::string_view(bytes).substr(0, xdr_getpos(&out)));
  nfs::XdrReader reader(buffer);
  Ours read;
  reader(read);
  EXPECT_TRUE(reader.finished());
  return read;
}

template <class Ours, class Theirs>
void compare(bool_t (*codec)(XDR*, Theirs*)) {
  for (int seed = 1; seed <= kRounds; ++seed) {
    RandomXdr random(static_cast<uint64_t>(seed));
    Ours value;
    random(value);
    const std::string bytes = encoded(value);
    const std::string theirs = through_oracle(bytes, codec);
    ASSERT_EQ(theirs, bytes) << "seed " << seed;
    const Buffer buffer = Buffer::copy_of(std::string_view(theirs));
    nfs::XdrReader reader(buffer);
    Ours read;
    reader(read);
    ASSERT_TRUE(reader.finished()) << "seed " << seed;
    ASSERT_EQ(encoded(read), bytes) << "seed " << seed;
  }
}

TEST(NfsMessages, HaveTheBytesOfTheOracle) {
  compare<nfs::GetattrArgs>(xdr_GETATTR3args);
  compare<nfs::GetattrResult>(xdr_GETATTR3res);
  compare<nfs::SetattrArgs>(xdr_SETATTR3args);
  compare<nfs::WccResult>(xdr_SETATTR3res);
  compare<nfs::LookupArgs>(xdr_LOOKUP3args);
  compare<nfs::LookupResult>(xdr_LOOKUP3res);
  compare<nfs::AccessArgs>(xdr_ACCESS3args);
  compare<nfs::AccessResult>(xdr_ACCESS3res);
  compare<nfs::ReadlinkArgs>(xdr_READLINK3args);
  compare<nfs::ReadlinkResult>(xdr_READLINK3res);
  compare<nfs::ReadArgs>(xdr_READ3args);
  compare<nfs::ReadResult>(xdr_READ3res);
  compare<nfs::WriteArgs>(xdr_WRITE3args);
  compare<nfs::WriteResult>(xdr_WRITE3res);
  compare<nfs::CreateArgs>(xdr_CREATE3args);
  compare<nfs::CreateResult>(xdr_CREATE3res);
  compare<nfs::MkdirArgs>(xdr_MKDIR3args);
  compare<nfs::CreateResult>(xdr_MKDIR3res);
  compare<nfs::SymlinkArgs>(xdr_SYMLINK3args);
  compare<nfs::CreateResult>(xdr_SYMLINK3res);
  compare<nfs::MknodArgs>(xdr_MKNOD3args);
  compare<nfs::CreateResult>(xdr_MKNOD3res);
  compare<nfs::RemoveArgs>(xdr_REMOVE3args);
  compare<nfs::WccResult>(xdr_REMOVE3res);
  compare<nfs::RmdirArgs>(xdr_RMDIR3args);
  compare<nfs::WccResult>(xdr_RMDIR3res);
  compare<nfs::RenameArgs>(xdr_RENAME3args);
  compare<nfs::RenameResult>(xdr_RENAME3res);
  compare<nfs::LinkArgs>(xdr_LINK3args);
  compare<nfs::LinkResult>(xdr_LINK3res);
  compare<nfs::ReaddirArgs>(xdr_READDIR3args);
  compare<nfs::ReaddirResult>(xdr_READDIR3res);
  compare<nfs::ReaddirplusArgs>(xdr_READDIRPLUS3args);
  compare<nfs::ReaddirplusResult>(xdr_READDIRPLUS3res);
  compare<nfs::FsstatArgs>(xdr_FSSTAT3args);
  compare<nfs::FsstatResult>(xdr_FSSTAT3res);
  compare<nfs::FsinfoArgs>(xdr_FSINFO3args);
  compare<nfs::FsinfoResult>(xdr_FSINFO3res);
  compare<nfs::PathconfArgs>(xdr_PATHCONF3args);
  compare<nfs::PathconfResult>(xdr_PATHCONF3res);
  compare<nfs::CommitArgs>(xdr_COMMIT3args);
  compare<nfs::CommitResult>(xdr_COMMIT3res);
}

// The bytes of neighbours of one type do not tell which is which: fields by their names.
TEST(NfsMessages, MeanWhatTheOracleMeans) {
  wcc_data wcc{};
  wcc.before.attributes_follow = 1;
  wcc.before.pre_op_attr_u.attributes = {1, {2, 3}, {4, 5}};
  wcc.after.attributes_follow = 1;
  wcc.after.post_op_attr_u.attributes = {NF3CHR,   11, 12, 13,       14,       15,      16,
                                         {17, 18}, 19, 20, {21, 22}, {23, 24}, {25, 26}};
  const auto ours = from_oracle<nfs::WccData>(wcc, xdr_wcc_data);
  EXPECT_EQ(ours.before->size, 1U);
  EXPECT_EQ(ours.before->mtime.seconds, 2U);
  EXPECT_EQ(ours.before->mtime.nseconds, 3U);
  EXPECT_EQ(ours.before->ctime.seconds, 4U);
  const nfs::Fattr3& attributes = *ours.after;
  EXPECT_EQ(attributes.type, nfs::Ftype3::chr);
  EXPECT_EQ(attributes.mode, 11U);
  EXPECT_EQ(attributes.nlink, 12U);
  EXPECT_EQ(attributes.uid, 13U);
  EXPECT_EQ(attributes.gid, 14U);
  EXPECT_EQ(attributes.size, 15U);
  EXPECT_EQ(attributes.used, 16U);
  EXPECT_EQ(attributes.rdev.major, 17U);
  EXPECT_EQ(attributes.rdev.minor, 18U);
  EXPECT_EQ(attributes.fsid, 19U);
  EXPECT_EQ(attributes.fileid, 20U);
  EXPECT_EQ(attributes.atime.seconds, 21U);
  EXPECT_EQ(attributes.mtime.seconds, 23U);
  EXPECT_EQ(attributes.ctime.seconds, 25U);

  sattr3 set{};
  set.mode = {1, {1}};
  set.uid = {1, {2}};
  set.gid = {1, {3}};
  set.size = {1, {4}};
  set.atime = {SET_TO_CLIENT_TIME, {{5, 6}}};
  set.mtime = {SET_TO_SERVER_TIME, {}};
  const auto new_attributes = from_oracle<nfs::Sattr3>(set, xdr_sattr3);
  EXPECT_EQ(new_attributes.mode, 1U);
  EXPECT_EQ(new_attributes.uid, 2U);
  EXPECT_EQ(new_attributes.gid, 3U);
  EXPECT_EQ(new_attributes.size, 4U);
  EXPECT_EQ(new_attributes.atime.time.seconds, 5U);
  EXPECT_EQ(new_attributes.mtime.how, nfs::TimeHow::set_to_server_time);

  READDIRPLUS3args list{};
  list.cookie = 1;
  list.cookieverf[7] = 2;
  list.dircount = 3;
  list.maxcount = 4;
  const auto list_args = from_oracle<nfs::ReaddirplusArgs>(list, xdr_READDIRPLUS3args);
  EXPECT_EQ(list_args.cookie, 1U);
  EXPECT_EQ(list_args.cookieverf, 2U);
  EXPECT_EQ(list_args.dircount, 3U);
  EXPECT_EQ(list_args.maxcount, 4U);
}

TEST(NfsMessages, OfTheFileSystemMeanWhatTheOracleMeans) {
  FSSTAT3res space{};
  space.FSSTAT3res_u.resok = {{}, 1, 2, 3, 4, 5, 6, 7};
  const auto fsstat = from_oracle<nfs::FsstatResult>(space, xdr_FSSTAT3res);
  EXPECT_EQ(fsstat.tbytes, 1U);
  EXPECT_EQ(fsstat.fbytes, 2U);
  EXPECT_EQ(fsstat.abytes, 3U);
  EXPECT_EQ(fsstat.tfiles, 4U);
  EXPECT_EQ(fsstat.ffiles, 5U);
  EXPECT_EQ(fsstat.afiles, 6U);
  EXPECT_EQ(fsstat.invarsec, 7U);

  FSINFO3res info{};
  info.FSINFO3res_u.resok = {{}, 1, 2, 3, 4, 5, 6, 7, 8, {9, 10}, 11};
  const auto fsinfo = from_oracle<nfs::FsinfoResult>(info, xdr_FSINFO3res);
  EXPECT_EQ(fsinfo.rtmax, 1U);
  EXPECT_EQ(fsinfo.rtpref, 2U);
  EXPECT_EQ(fsinfo.rtmult, 3U);
  EXPECT_EQ(fsinfo.wtmax, 4U);
  EXPECT_EQ(fsinfo.wtpref, 5U);
  EXPECT_EQ(fsinfo.wtmult, 6U);
  EXPECT_EQ(fsinfo.dtpref, 7U);
  EXPECT_EQ(fsinfo.maxfilesize, 8U);
  EXPECT_EQ(fsinfo.time_delta.nseconds, 10U);
  EXPECT_EQ(fsinfo.properties, 11U);

  for (int flag = 0; flag < 4; ++flag) {
    PATHCONF3res conf{};
    conf.PATHCONF3res_u.resok = {{}, 1, 2, flag == 0, flag == 1, flag == 2, flag == 3};
    const auto pathconf = from_oracle<nfs::PathconfResult>(conf, xdr_PATHCONF3res);
    EXPECT_EQ(pathconf.linkmax, 1U);
    EXPECT_EQ(pathconf.name_max, 2U);
    EXPECT_EQ(pathconf.no_trunc, flag == 0);
    EXPECT_EQ(pathconf.chown_restricted, flag == 1);
    EXPECT_EQ(pathconf.case_insensitive, flag == 2);
    EXPECT_EQ(pathconf.case_preserving, flag == 3);
  }
}

TEST(MountMessages, HaveTheBytesOfTheOracle) {
  compare<nfs::MountPathArgs>(xdr_dirpath);
  compare<nfs::MntResult>(xdr_mountres3);
  compare<nfs::DumpResult>(xdr_mountlist);
  compare<nfs::ExportResult>(xdr_exports);
}

TEST(NlmMessages, HaveTheBytesOfTheOracle) {
  compare<nfs::Nlm4TestArgs>(xdr_nlm4_testargs);
  compare<nfs::Nlm4TestResult>(xdr_nlm4_testres);
  compare<nfs::Nlm4LockArgs>(xdr_nlm4_lockargs);
  compare<nfs::Nlm4CancelArgs>(xdr_nlm4_cancargs);
  compare<nfs::Nlm4UnlockArgs>(xdr_nlm4_unlockargs);
  compare<nfs::Nlm4Result>(xdr_nlm4_res);
  compare<nfs::Nlm4ShareArgs>(xdr_nlm4_shareargs);
  compare<nfs::Nlm4ShareResult>(xdr_nlm4_shareres);
  compare<nfs::Nlm4NotifyArgs>(xdr_nlm4_notify);
}

TEST(NlmMessages, MeanWhatTheOracleMeans) {
  nlm4_lockargs lock{};
  lock.cookie = {1, const_cast<char*>("c")};
  lock.exclusive = 1;
  lock.alock = {const_cast<char*>("name"),
                {2, const_cast<char*>("fh")},
                {2, const_cast<char*>("oh")},
                -1,
                2,
                3};
  lock.state = 4;
  const auto args = from_oracle<nfs::Nlm4LockArgs>(lock, xdr_nlm4_lockargs);
  EXPECT_EQ(args.cookie.bytes, "c");
  EXPECT_FALSE(args.block);
  EXPECT_TRUE(args.exclusive);
  EXPECT_FALSE(args.reclaim);
  EXPECT_EQ(args.lock.caller_name.bytes, "name");
  EXPECT_EQ(args.lock.fh.bytes, "fh");
  EXPECT_EQ(args.lock.oh.bytes, "oh");
  EXPECT_EQ(args.lock.svid, UINT32_MAX);
  EXPECT_EQ(args.lock.offset, 2U);
  EXPECT_EQ(args.lock.length, 3U);
  EXPECT_EQ(args.state, 4U);

  nlm4_testres test{};
  test.stat.stat = NLM4_DENIED;
  test.stat.nlm4_testrply_u.holder = {1, 5, {2, const_cast<char*>("oh")}, 6, 7};
  const auto tested = from_oracle<nfs::Nlm4TestResult>(test, xdr_nlm4_testres);
  EXPECT_EQ(tested.stat, nfs::Nlm4Stats::denied);
  EXPECT_TRUE(tested.holder.exclusive);
  EXPECT_EQ(tested.holder.svid, 5U);
  EXPECT_EQ(tested.holder.oh.bytes, "oh");
  EXPECT_EQ(tested.holder.offset, 6U);
  EXPECT_EQ(tested.holder.length, 7U);

  nlm4_shareargs share{};
  share.share = {const_cast<char*>("name"),
                 {2, const_cast<char*>("fh")},
                 {2, const_cast<char*>("oh")},
                 fsm_DW,
                 fsa_R};
  const auto shared = from_oracle<nfs::Nlm4ShareArgs>(share, xdr_nlm4_shareargs);
  EXPECT_EQ(shared.mode, nfs::Fsh4Mode::writes);
  EXPECT_EQ(shared.access, nfs::Fsh4Access::reads);
}

TEST(NsmMessages, HaveTheBytesOfTheOracle) {
  compare<nfs::NsmNameArgs>(xdr_sm_name);
  compare<nfs::NsmMonArgs>(xdr_mon);
  compare<nfs::NsmMonId>(xdr_mon_id);
  compare<nfs::NsmMyId>(xdr_my_id);
  compare<nfs::NsmStatChangeArgs>(xdr_stat_chge);
  compare<nfs::NsmStatResult>(xdr_sm_stat_res);
  compare<nfs::NsmState>(xdr_sm_stat);
}

TEST(NlmMessages, OfTooLongNamesAreRefused) {
  nfs::Nlm4UnlockArgs args;
  args.lock.caller_name.bytes = std::string(1024, 'n');
  const auto read = [&] {
    const Buffer bytes = Buffer::copy_of(std::string_view(encoded(args)));
    nfs::XdrReader reader(bytes);
    nfs::Nlm4UnlockArgs out;
    reader(out);
    return reader.finished();
  };
  EXPECT_TRUE(read());
  args.lock.caller_name.bytes += 'n';
  EXPECT_FALSE(read());
  args.lock.caller_name.bytes.clear();
  args.lock.oh.bytes = std::string(1025, 'o');
  EXPECT_FALSE(read());
}

}  // namespace
}  // namespace turbine::test
