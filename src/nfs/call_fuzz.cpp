// Calls: the header, and the arguments of every procedure. What is understood is written again to
// the same bytes, and is the same when a payload was split off.
#include "base/check.hpp"
#include "nfs/mount3.hpp"
#include "nfs/nfs3_procedures.hpp"
#include "nfs/nlm4.hpp"
#include "nfs/nsm1.hpp"
#include "nfs/portmap2.hpp"

namespace turbine::nfs {
namespace {

template <class T>
std::string encoded(const T& value) {
  GatherList list;
  XdrWriter writer(list);
  writer(value);
  std::string out;
  while (!list.empty()) {
    std::array<boost::asio::const_buffer, 1> piece;
    list.gather(piece);
    out.append(static_cast<const char*>(piece[0].data()), piece[0].size());
    list.consume(piece[0].size());
  }
  return out;
}

template <class Message>
void decode(const Buffer& bytes) {
  XdrReader reader(bytes);
  Message message;
  reader(message);
  if (reader.finished()) CHECK(encoded(message) == bytes.text());
}

/// A WRITE whose data is received into a buffer of its own.
void decode_split(const Buffer& call) {
  const auto at = find_write_payload(call.view());
  if (!at) return;
  const Buffer head = call.slice(0, *at);
  const Buffer payload = call.slice(*at, call.size() - *at);
  const auto read = [](XdrReader reader) {
    RpcCallHeader header;
    CHECK(read_call(reader, header) == CallVerdict::ok);
    WriteArgs args;
    reader(args);
    return reader.finished() ? "ok " + std::string(args.data.text()) : "garbage";
  };
  CHECK(read(XdrReader(call)) == read(XdrReader(head, &payload)));
}

using Decoder = void (*)(const Buffer&);
constexpr Decoder kDecoders[] = {
    decode<VoidArgs>,          decode<GetattrArgs>,       decode<SetattrArgs>,
    decode<LookupArgs>,        decode<AccessArgs>,        decode<ReadlinkArgs>,
    decode<ReadArgs>,          decode<WriteArgs>,         decode<CreateArgs>,
    decode<MkdirArgs>,         decode<SymlinkArgs>,       decode<MknodArgs>,
    decode<RemoveArgs>,        decode<RmdirArgs>,         decode<RenameArgs>,
    decode<LinkArgs>,          decode<ReaddirArgs>,       decode<ReaddirplusArgs>,
    decode<FsstatArgs>,        decode<FsinfoArgs>,        decode<PathconfArgs>,
    decode<CommitArgs>,        decode<MountPathArgs>,     decode<Mapping>,
    decode<ReaddirplusResult>, decode<MntResult>,         decode<ExportResult>,
    decode<Nlm4TestArgs>,      decode<Nlm4TestResult>,    decode<Nlm4LockArgs>,
    decode<Nlm4CancelArgs>,    decode<Nlm4UnlockArgs>,    decode<Nlm4Result>,
    decode<Nlm4ShareArgs>,     decode<Nlm4ShareResult>,   decode<Nlm4NotifyArgs>,
    decode<NsmNameArgs>,       decode<NsmMonArgs>,        decode<NsmMonId>,
    decode<NsmMyId>,           decode<NsmStatChangeArgs>,
};

}  // namespace
}  // namespace turbine::nfs

/// The first byte chooses: a whole call, or the arguments of one procedure.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine;
  if (size < 1) return 0;
  const Buffer bytes =
      Buffer::copy_of(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  const size_t choice = data[0] % (std::size(nfs::kDecoders) + 1);
  if (choice < std::size(nfs::kDecoders)) {
    nfs::kDecoders[choice](bytes);
    return 0;
  }
  nfs::XdrReader reader(bytes);
  nfs::RpcCallHeader header;
  (void)nfs::read_call(reader, header);
  CHECK(header.credential.group_count <= nfs::kAuthSysGroupsMax);
  nfs::decode_split(bytes);
  return 0;
}
