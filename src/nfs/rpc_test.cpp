#include "nfs/rpc.hpp"

#include <gtest/gtest.h>

namespace turbine::nfs {
namespace {

std::string words(std::initializer_list<uint32_t> values) {
  std::string out;
  for (const uint32_t value : values) append_be(out, value);
  return out;
}
template <class Write>
std::string written(Write write) {
  GatherList list;
  XdrWriter writer(list);
  write(writer);
  std::array<boost::asio::const_buffer, 4> pieces;
  if (list.gather(pieces) == 0) return "";
  return {static_cast<const char*>(pieces[0].data()), pieces[0].size()};
}
CallVerdict verdict(const std::string& bytes, RpcCallHeader* out = nullptr) {
  XdrReader reader(as_bytes(bytes));
  RpcCallHeader header;
  const CallVerdict result = read_call(reader, header);
  if (out != nullptr) *out = header;
  return result;
}
/// xid 9, CALL, RPC 2, NFS 3 GETATTR.
const std::string kStart = words({9, 0, 2, 100003, 3, 1});
const std::string kNoVerifier = words({0, 0});

std::string auth_sys(uint32_t name_bytes, uint32_t groups) {
  std::string body = words({1, name_bytes}) + std::string(xdr_padded(name_bytes), '\0') +
                     words({1000, 100, groups});
  for (uint32_t i = 0; i < groups; ++i) body += words({200 + i});
  return words({1, static_cast<uint32_t>(body.size())}) + body;
}

TEST(RpcCall, ReadsBothCredentials) {
  RpcCallHeader header;
  ASSERT_EQ(verdict(kStart + words({0, 0}) + kNoVerifier, &header), CallVerdict::ok);
  EXPECT_EQ(header.xid, 9U);
  EXPECT_EQ(header.program, 100003U);
  EXPECT_EQ(header.version, 3U);
  EXPECT_EQ(header.procedure, 1U);
  EXPECT_EQ(header.credential.flavor, kAuthNone);

  ASSERT_EQ(verdict(kStart + auth_sys(7, 16) + kNoVerifier, &header), CallVerdict::ok);
  EXPECT_EQ(header.credential.uid, 1000U);
  EXPECT_EQ(header.credential.gid, 100U);
  ASSERT_EQ(header.credential.groups().size(), 16U);
  EXPECT_EQ(header.credential.groups()[15], 215U);
}

TEST(RpcCall, ReadsWhatItWrites) {
  RpcCallHeader header{1, 2, 3, 4, {}};
  header.credential.flavor = kAuthSys;
  header.credential.uid = 5;
  header.credential.group_count = 1;
  header.credential.group_ids[0] = 6;
  RpcCallHeader read;
  ASSERT_EQ(verdict(written([&](XdrWriter& w) { write_call(w, header); }), &read), CallVerdict::ok);
  EXPECT_EQ(read.procedure, 4U);
  EXPECT_EQ(read.credential.uid, 5U);
  EXPECT_EQ(read.credential.groups()[0], 6U);
}

TEST(RpcCall, RefusesWhatIsNoCall) {
  EXPECT_EQ(verdict(""), CallVerdict::not_a_call);
  EXPECT_EQ(verdict(words({9, 1, 0, 0, 0, 0})), CallVerdict::not_a_call);  // a reply
  EXPECT_EQ(verdict(words({9, 0, 2, 100003})), CallVerdict::not_a_call);
  EXPECT_EQ(verdict(words({9, 0, 3})), CallVerdict::rpc_mismatch);
}

TEST(RpcCall, RefusesBadCredentials) {
  EXPECT_EQ(verdict(kStart + auth_sys(255, 0) + kNoVerifier), CallVerdict::ok);
  EXPECT_EQ(verdict(kStart + auth_sys(256, 0) + kNoVerifier), CallVerdict::bad_credential);
  EXPECT_EQ(verdict(kStart + auth_sys(4, 17) + kNoVerifier), CallVerdict::bad_credential);
  EXPECT_EQ(verdict(kStart + words({1, 4, 0}) + kNoVerifier), CallVerdict::bad_credential);
  EXPECT_EQ(verdict(kStart + words({0, 404}) + std::string(404, '\0') + kNoVerifier),
            CallVerdict::bad_credential);
  EXPECT_EQ(verdict(kStart + words({0, 0xFFFFFFFF}) + kNoVerifier), CallVerdict::bad_credential);
  EXPECT_EQ(verdict(kStart + words({6, 4, 0}) + kNoVerifier), CallVerdict::rejected_credential);
  EXPECT_EQ(verdict(kStart + words({7, 0}) + kNoVerifier), CallVerdict::rejected_credential);
  EXPECT_EQ(verdict(kStart + words({0, 0}) + words({0, 404})), CallVerdict::bad_verifier);
}

TEST(RpcReply, HasTheFormsOfTheRfc) {
  const auto accepted = [](AcceptStat stat) {
    return written([stat](XdrWriter& w) { write_accepted(w, 9, stat); });
  };
  EXPECT_EQ(accepted(AcceptStat::success), words({9, 1, 0, 0, 0, 0}));
  EXPECT_EQ(accepted(AcceptStat::prog_unavail), words({9, 1, 0, 0, 0, 1}));
  EXPECT_EQ(accepted(AcceptStat::garbage_args), words({9, 1, 0, 0, 0, 4}));
  EXPECT_EQ(written([](XdrWriter& w) { write_prog_mismatch(w, 9, 3, 3); }),
            words({9, 1, 0, 0, 0, 2, 3, 3}));
  const auto denied = [](CallVerdict verdict) {
    return written([verdict](XdrWriter& w) { write_denied(w, 9, verdict); });
  };
  EXPECT_EQ(denied(CallVerdict::rpc_mismatch), words({9, 1, 1, 0, 2, 2}));
  EXPECT_EQ(denied(CallVerdict::bad_credential), words({9, 1, 1, 1, 1}));
  EXPECT_EQ(denied(CallVerdict::rejected_credential), words({9, 1, 1, 1, 2}));
  EXPECT_EQ(denied(CallVerdict::bad_verifier), words({9, 1, 1, 1, 3}));
}

}  // namespace
}  // namespace turbine::nfs
