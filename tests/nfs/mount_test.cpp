// MOUNT version 3 and the port mapper.
#include "nfs/datagram_server.hpp"
#include "support/nfs_fixture.hpp"

namespace turbine::test {
namespace {

using nfs::Mountstat3;

class Mount : public NfsFixture {
 protected:
  template <class Outcome, class Args = nfs::MountNothing>
  Outcome mount3(uint32_t procedure, const Args& args = {}) {
    return call<Outcome>(nfs::kMountProgram, nfs::kMountVersion, procedure, args);
  }
  nfs::MntResult mnt(std::string_view path) {
    return mount3<nfs::MntResult>(1, nfs::MountPathArgs{path});
  }
};

TEST_F(Mount, GivesTheHandleOfAnExport) {
  const auto result = mnt("/photos");
  ASSERT_EQ(result.status, Mountstat3::ok);
  EXPECT_EQ(handles_.decode(result.handle), (nfs::FileHandle{bucket_, bucket_}));
  EXPECT_EQ(result.auth_flavors, std::vector<uint32_t>{1});
  EXPECT_EQ(mnt("/photos/").status, Mountstat3::ok);
  EXPECT_EQ(mnt("//photos//.").status, Mountstat3::ok);
}

TEST_F(Mount, GivesDirectoriesBelowAnExport) {
  const InodeId a = files_.put(bucket_, "a", fs::FileType::directory);
  const InodeId b = files_.put(a, "b", fs::FileType::directory);
  files_.put(a, "f", fs::FileType::regular);
  EXPECT_EQ(handles_.decode(mnt("/photos/a/b").handle), (nfs::FileHandle{bucket_, b}));
  EXPECT_EQ(mnt("/photos/a/c").status, Mountstat3::noent);
  EXPECT_EQ(mnt("/photos/a/f").status, Mountstat3::notdir);

  // The longest export on the way is the one that counts.
  exports_.rows.push_back({"/photos/a", a, {.secure = false}});
  EXPECT_EQ(handles_.decode(mnt("/photos/a/b").handle), (nfs::FileHandle{a, b}));
}

TEST_F(Mount, RefusesWhatIsNoPathOfAnExport) {
  EXPECT_EQ(mnt("/other").status, Mountstat3::noent);
  EXPECT_EQ(mnt("/photosX").status, Mountstat3::noent);
  EXPECT_EQ(mnt("/").status, Mountstat3::noent);
  EXPECT_EQ(mnt("photos").status, Mountstat3::inval);
  EXPECT_EQ(mnt("").status, Mountstat3::inval);
  EXPECT_EQ(mnt("/photos/../photos").status, Mountstat3::inval);
  EXPECT_EQ(mnt(std::string_view("/photos\0", 8)).status, Mountstat3::inval);
  EXPECT_EQ(mnt("/" + std::string(256, 'n')).status, Mountstat3::nametoolong);
  EXPECT_EQ(mnt("/" + std::string(1024, '/')).status, Mountstat3::nametoolong);
}

TEST_F(Mount, RefusesClientsThatMayNot) {
  exports_.rows[0].allowed = false;
  EXPECT_EQ(mnt("/photos").status, Mountstat3::acces);
  exports_.rows[0].allowed = true;
  exports_.rows[0].access.secure = true;
  ++exports_.changes;
  EXPECT_EQ(mnt("/photos").status, Mountstat3::acces);
}

TEST_F(Mount, OfTheWholeArrayHidesNoMisspeltBucket) {
  exports_.rows.push_back({"/", kRootInode, {.secure = false}, false});
  EXPECT_EQ(mnt("/").status, Mountstat3::acces);
  EXPECT_EQ(mnt("/photo").status, Mountstat3::noent);
  EXPECT_EQ(mnt("/photos").status, Mountstat3::ok);
  exports_.rows[1].allowed = true;
  ++exports_.changes;
  EXPECT_EQ(mnt("/").status, Mountstat3::ok);
  EXPECT_EQ(mnt("/photo").status, Mountstat3::noent);
}

TEST_F(Mount, SaysServerFaultWhenTheArrayIsAway) {
  files_.failure = Errc::unavailable;
  EXPECT_EQ(mnt("/photos").status, Mountstat3::serverfault);
  exports_.failure = Errc::unavailable;
  EXPECT_EQ(mnt("/photos").status, Mountstat3::serverfault);
}

TEST_F(Mount, ListsExportsAndForgetsMounts) {
  mount3<nfs::MountNothing>(0);
  const auto exports = mount3<nfs::ExportResult>(5);
  ASSERT_EQ(exports.exports.items.size(), 1U);
  EXPECT_EQ(exports.exports.items[0].directory, "/photos");
  ASSERT_EQ(exports.exports.items[0].groups.items.size(), 1U);
  EXPECT_EQ(exports.exports.items[0].groups.items[0].name, "127.0.0.0/8");
  EXPECT_EQ(mnt("/photos").status, Mountstat3::ok);
  EXPECT_TRUE(mount3<nfs::DumpResult>(2).mounts.items.empty());
  mount3<nfs::MountNothing>(3, nfs::MountPathArgs{"/photos"});
  mount3<nfs::MountNothing>(4);
}

/// A datagram's answer; empty when none comes.
std::string ask_datagram(Loop& loop, uint16_t port, const std::string& message) {
  asio::basic_datagram_socket<asio::ip::udp, Executor> socket(loop.executor(), asio::ip::udp::v4());
  socket.connect({asio::ip::address_v4::loopback(), port});
  socket.send(asio::buffer(message));
  std::string answer(2000, '\0');
  bool arrived = false;
  socket.async_receive(asio::buffer(answer), [&](boost::system::error_code error, size_t size) {
    answer.resize(error ? 0 : size);
    arrived = true;
  });
  const TimerId timer =
      loop.clock->call_at(loop.clock->now() + std::chrono::seconds(5), [&] { socket.cancel(); });
  while (!arrived) loop.io.run_one();
  loop.clock->cancel(timer);
  return answer;
}

TEST_F(Mount, ThePortMapperAnswersDatagrams) {
  env_.ports = {{nfs::kNfsProgram, 3, 2049}};
  nfs::DatagramServer datagrams(env_, {}, {&nfs::portmap2_program()});
  ASSERT_TRUE(datagrams.start().ok());
  const auto call = [&](uint32_t version, uint32_t procedure, const auto& args) {
    return client_.call_bytes(nfs::kPortmapProgram, version, procedure, args);
  };
  const auto read = [](const std::string& answer, nfs::RpcReplyHeader& header) {
    Buffer record = Buffer::copy_of(std::string_view(answer));
    nfs::XdrReader reader(record);
    EXPECT_TRUE(nfs::read_reply(reader, header));
    nfs::PortResult result;
    if (header.stat == nfs::AcceptStat::success) reader(result);
    return result.port;
  };
  nfs::RpcReplyHeader header;
  const nfs::Mapping asked{nfs::kNfsProgram, 3, 6, 0};
  EXPECT_EQ(read(ask_datagram(loop_, datagrams.port(), call(2, 3, asked)), header), 2049U);
  EXPECT_EQ(header.xid, client_.next_xid - 1);
  read(ask_datagram(loop_, datagrams.port(), call(4, 3, asked)), header);
  EXPECT_EQ(header.stat, nfs::AcceptStat::prog_mismatch);
  read(ask_datagram(loop_, datagrams.port(), call(2, 5, asked)), header);
  EXPECT_EQ(header.stat, nfs::AcceptStat::proc_unavail);
  nfs::DatagramServer second(env_, {.port = datagrams.port()}, {&nfs::portmap2_program()});
  EXPECT_TRUE(second.start().failed_with(Errc::exists));
  EXPECT_TRUE(loop_.run(datagrams.stop()).ok());
}

TEST_F(Mount, ThePortMapperTellsThePorts) {
  env_.ports = {{nfs::kNfsProgram, 3, 2049}, {nfs::kMountProgram, 3, 20048}};
  const auto port = [&](uint32_t program, uint32_t protocol) {
    return call<nfs::PortResult>(nfs::kPortmapProgram, nfs::kPortmapVersion, 3,
                                 nfs::Mapping{program, 3, protocol, 0})
        .port;
  };
  EXPECT_EQ(port(nfs::kNfsProgram, 6), 2049U);
  EXPECT_EQ(port(nfs::kMountProgram, 6), 20048U);
  EXPECT_EQ(port(nfs::kNfsProgram, 17), 0U);  // not over UDP
  EXPECT_EQ(port(100021, 6), 0U);
  const auto dump = call<nfs::MappingsResult>(nfs::kPortmapProgram, nfs::kPortmapVersion, 4,
                                              nfs::PortmapNothing{});
  ASSERT_EQ(dump.mappings.items.size(), 2U);
  EXPECT_EQ(dump.mappings.items[1].port, 20048U);
  EXPECT_EQ(dump.mappings.items[1].protocol, 6U);
}

}  // namespace
}  // namespace turbine::test
