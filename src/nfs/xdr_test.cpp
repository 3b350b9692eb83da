#include "nfs/xdr.hpp"

#include <gtest/gtest.h>

#include "nfs/nfs3_args.hpp"
#include "nfs/nfs3_results.hpp"

namespace turbine::nfs {
namespace {

std::string bytes_of(GatherList& list) {
  std::array<boost::asio::const_buffer, 64> pieces;
  std::string out;
  const size_t count = list.gather(pieces);
  for (size_t i = 0; i < count; ++i) {
    out.append(static_cast<const char*>(pieces[i].data()), pieces[i].size());
  }
  return out;
}
template <class T>
std::string encoded(const T& value) {
  GatherList list;
  XdrWriter writer(list);
  writer(value);
  return bytes_of(list);
}
std::string word(uint32_t value) {
  std::string out;
  append_be(out, value);
  return out;
}
template <class T>
bool decodes(const std::string& bytes) {
  const Buffer buffer = Buffer::copy_of(std::string_view(bytes));
  XdrReader reader(buffer);
  T value;
  reader(value);
  return reader.finished();
}

SymlinkArgs symlink_args() {
  SymlinkArgs args;
  args.where.dir.assign(as_bytes("handle"));
  args.where.name = "name!";
  args.attributes.mode = 0644;
  args.attributes.mtime = {TimeHow::set_to_client_time, {5, 6}};
  args.target = "../x";
  return args;
}

TEST(Xdr, EncodesAsTheStandardSays) {
  EXPECT_EQ(encoded(uint32_t{0x01020304}), "\x01\x02\x03\x04");
  EXPECT_EQ(encoded(uint64_t{0x0102030405060708}), "\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_EQ(encoded(true), word(1));
  EXPECT_EQ(encoded(std::string("abcde")), word(5) + std::string("abcde\0\0\0", 8));
  EXPECT_EQ(encoded(std::optional<uint32_t>()), word(0));
  EXPECT_EQ(encoded(std::optional<uint32_t>(7)), word(1) + word(7));
  EXPECT_EQ(encoded(std::vector<uint32_t>{8, 9}), word(2) + word(8) + word(9));
  EXPECT_EQ(encoded(XdrList<uint32_t>{{8, 9}}), word(1) + word(8) + word(1) + word(9) + word(0));
}

TEST(Xdr, GivesBackWhatWasWritten) {
  const std::string bytes = encoded(symlink_args());
  const Buffer buffer = Buffer::copy_of(std::string_view(bytes));
  XdrReader reader(buffer);
  SymlinkArgs args;
  reader(args);
  ASSERT_TRUE(reader.finished());
  EXPECT_EQ(as_text(args.where.dir.view()), "handle");
  EXPECT_EQ(args.where.name, "name!");
  EXPECT_EQ(args.attributes.mode, 0644U);
  EXPECT_FALSE(args.attributes.size.has_value());
  EXPECT_EQ(args.attributes.mtime.time.nseconds, 6U);
  EXPECT_EQ(args.target, "../x");
}

TEST(Xdr, RefusesEveryTruncationAndWhatFollows) {
  const std::string bytes = encoded(symlink_args());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decodes<SymlinkArgs>(bytes.substr(0, size))) << size;
  }
  EXPECT_TRUE(decodes<SymlinkArgs>(bytes));
  EXPECT_FALSE(decodes<SymlinkArgs>(bytes + word(0)));
}

TEST(Xdr, RefusesWhatTheStandardForbids) {
  EXPECT_FALSE(decodes<bool>(word(2)));
  EXPECT_FALSE(decodes<TimeHow>(word(3)));
  EXPECT_FALSE(decodes<std::string>(word(5) + "abcde\x01" + std::string(2, '\0')));
  EXPECT_FALSE(decodes<NfsFh3>(word(65) + std::string(68, '\0')));
  EXPECT_TRUE(decodes<NfsFh3>(word(64) + std::string(64, '\0')));
}

TEST(Xdr, AllocatesNothingForALengthThatIsNotThere) {
  EXPECT_FALSE(decodes<std::vector<uint32_t>>(word(0xFFFFFFFF) + word(1)));
  EXPECT_FALSE(decodes<std::string>(word(0xFFFFFFFF) + "abcd"));
  EXPECT_FALSE(decodes<Buffer>(word(0xFFFFFFFC) + "abcd"));
  EXPECT_FALSE(decodes<XdrList<Entry3>>(word(1) + word(0)));
}

TEST(Xdr, StaysFailedAndGivesZeros) {
  const Buffer buffer = Buffer::copy_of(std::string_view(word(2) + word(9)));
  XdrReader reader(buffer);
  bool flag = true;
  uint32_t number = 1;
  reader(flag, number);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(number, 0U);
}

TEST(Xdr, PassesPayloadOnWithoutCopying) {
  ReadResult result;
  result.count = 5;
  result.data = {Buffer::copy_of(std::string_view("ab")), Buffer::copy_of(std::string_view("cde"))};
  GatherList list;
  XdrWriter writer(list);
  writer(result);
  std::array<boost::asio::const_buffer, 64> pieces;
  ASSERT_EQ(list.gather(pieces), 4U);
  EXPECT_EQ(pieces[1].data(), result.data[0].data());
  EXPECT_EQ(pieces[2].data(), result.data[1].data());
  EXPECT_EQ(pieces[3].size(), 3U);  // padding
}

TEST(Xdr, SharesTheRecordWithPayloadThatWasRead) {
  std::string bytes = word(5) + std::string("abcde\0\0\0", 8);
  const Buffer record = Buffer::copy_of(std::string_view(bytes));
  XdrReader reader(record);
  Buffer data;
  reader(data);
  EXPECT_TRUE(reader.finished());
  EXPECT_EQ(data.text(), "abcde");
  EXPECT_EQ(data.storage(), record.storage());
}

TEST(Xdr, ReadsPayloadOutOfASecondBuffer) {
  const auto read = [](uint32_t size, std::string_view tail) {
    const Buffer head = Buffer::copy_of(std::string_view(word(1) + word(size)));
    const Buffer rest = Buffer::copy_of(tail);
    XdrReader reader(head, &rest);
    uint32_t before = 0;
    Buffer data;
    reader(before, data);
    return reader.finished() ? std::string(data.text()) : "refused";
  };
  EXPECT_EQ(read(5, {"abcde\0\0\0", 8}), "abcde");
  EXPECT_EQ(read(4, "abcd"), "abcd");
  EXPECT_EQ(read(5, {"abcde\0\0\1", 8}), "refused");
  EXPECT_EQ(read(4, {"abcde\0\0\0", 8}), "refused");
  EXPECT_EQ(read(9, {"abcde\0\0\0", 8}), "refused");

  const Buffer head = Buffer::copy_of(std::string_view(word(1)));
  const Buffer rest = Buffer::copy_of(std::string_view("abcd"));
  XdrReader reader(head, &rest);
  uint32_t only = 0;
  reader(only);
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.finished());  // payload that nobody asked for
}

TEST(Xdr, MarksRecords) {
  GatherList list;
  XdrWriter writer(list);
  writer.begin_record();
  writer(uint32_t{7}, Buffer::copy_of(std::string_view("abc")));
  writer.end_record();
  EXPECT_EQ(bytes_of(list), word(0x8000000C) + word(7) + word(3) + std::string("abc\0", 4));
}

}  // namespace
}  // namespace turbine::nfs
