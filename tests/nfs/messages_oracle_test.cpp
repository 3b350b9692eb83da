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

TEST(MountMessages, HaveTheBytesOfTheOracle) {
  compare<nfs::MountPathArgs>(xdr_dirpath);
  compare<nfs::MntResult>(xdr_mountres3);
  compare<nfs::DumpResult>(xdr_mountlist);
  compare<nfs::ExportResult>(xdr_exports);
}

}  // namespace
}  // namespace turbine::test
