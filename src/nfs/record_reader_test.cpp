#include "nfs/record_reader.hpp"

#include <gtest/gtest.h>

#include "base/byte_codec.hpp"
#include "base/rng.hpp"

namespace turbine::nfs {
namespace {

std::string mark(size_t size, bool last) {
  std::string out;
  append_be(out, static_cast<uint32_t>(size) | (last ? 0x80000000U : 0U));
  return out;
}
std::string record(std::string_view text) {
  return mark(text.size(), true) + std::string(text);
}
/// Text that begins with "W" has its payload at byte 8.
std::optional<size_t> find_payload(ByteView prefix) {
  if (prefix.size() < 8 || as_text(prefix)[0] != 'W') return std::nullopt;
  return 8;
}

struct Fed {
  std::vector<Record> records;
  std::string error;

  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    out.reserve(records.size());
    for (const Record& r : records) {
      out.push_back(std::string(r.head.text()) + std::string(r.payload.text()));
    }
    return out;
  }
};

Fed feed(std::string_view stream, size_t piece, RecordLimits limits = {}) {
  RecordReader reader(limits, find_payload);
  Fed fed;
  for (;;) {
    auto next = reader.next();
    if (!next.ok()) {
      fed.error = next.error().context;
      return fed;
    }
    if (next->has_value()) {
      fed.records.push_back(std::move(**next));
      continue;
    }
    if (reader.wanted() > 0) {
      EXPECT_LE(reader.wanted(), limits.record_bytes_max);
      reader.grant();
      continue;
    }
    if (stream.empty()) return fed;
    const MutableByteView room = reader.room();
    EXPECT_FALSE(room.empty());
    const size_t size = std::min({piece, room.size(), stream.size()});
    std::memcpy(room.data(), stream.data(), size);
    reader.received(size);
    stream.remove_prefix(size);
  }
}

std::string random_text(Rng& rng, size_t size, char first) {
  std::string text(size, first);
  for (size_t i = 1; i < size; ++i) text[i] = static_cast<char>(rng.next());
  return text;
}

TEST(RecordReader, GivesRecordsHoweverTheStreamIsCut) {
  Rng rng(1);
  std::string stream;
  std::vector<std::string> expected;
  for (const size_t size : {1, 4, 100, 5000, 16384, 16385, 40000, 3}) {
    for (const char first : {'W', 'x'}) {
      expected.push_back(random_text(rng, size, first));
      stream += record(expected.back());
    }
  }
  expected.emplace_back();
  stream += record("");
  for (const size_t piece : {1, 2, 3, 5, 100, 1000, 4096, 100000}) {
    const Fed fed = feed(stream, piece);
    EXPECT_EQ(fed.error, "");
    EXPECT_EQ(fed.texts(), expected) << piece;
  }
}

TEST(RecordReader, JoinsFragments) {
  Rng rng(2);
  for (int round = 0; round < 50; ++round) {
    const std::string text = random_text(rng, 1 + rng.below(60000), rng.chance(1, 2) ? 'W' : 'x');
    std::string stream;
    std::string_view rest = text;
    for (int left = 14; left > 0 && rest.size() > 1; --left) {
      const size_t size = 1 + rng.below(rest.size() - 1);
      stream += mark(size, false) + std::string(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    stream += record(rest) + record("next");
    const Fed fed = feed(stream, 1 + rng.below(5000));
    EXPECT_EQ(fed.error, "");
    EXPECT_EQ(fed.texts(), (std::vector<std::string>{text, "next"}));
  }
}

TEST(RecordReader, ReceivesLargePayloadIntoOneBufferOfItsSize) {
  std::string text = "Whead..." + std::string(1 << 20, 'p');
  const Fed fed = feed(record(text), 100000);
  ASSERT_EQ(fed.records.size(), 1U);
  EXPECT_EQ(fed.records[0].head.size(), 8U);
  EXPECT_EQ(fed.records[0].payload.size(), size_t{1} << 20);
  EXPECT_EQ(fed.records[0].payload.storage()->capacity, size_t{1} << 20);
  EXPECT_EQ(fed.records[0].reserved, size_t{1} << 20);
}

TEST(RecordReader, LetsSmallRecordsShareTheWindow) {
  const Fed fed = feed(record("one") + record("two"), 1000);
  ASSERT_EQ(fed.records.size(), 2U);
  EXPECT_EQ(fed.records[0].head.storage(), fed.records[1].head.storage());
  EXPECT_EQ(fed.records[0].reserved, 0U);
}

TEST(RecordReader, NeverWritesOverARecordThatIsInUse) {
  RecordReader reader({}, find_payload);
  std::vector<Record> kept;
  for (int i = 0; i < 200; ++i) {
    const std::string stream = record(fmt::format("record {:04}", i));
    const MutableByteView room = reader.room();
    ASSERT_GE(room.size(), stream.size());
    std::memcpy(room.data(), stream.data(), stream.size());
    reader.received(stream.size());
    auto next = reader.next();
    ASSERT_TRUE(next.ok() && next->has_value());
    kept.push_back(std::move(**next));
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(kept[static_cast<size_t>(i)].head.text(), fmt::format("record {:04}", i));
  }
}

TEST(RecordReader, RefusesARecordThatIsTooLongBeforeItIsReceived) {
  const RecordLimits limits{.record_bytes_max = 50000, .fragments_max = 16};
  EXPECT_EQ(feed(record(std::string(50000, 'x')), 1000, limits).error, "");
  EXPECT_EQ(feed(mark(50001, true), 1000, limits).error, "a record of more than 50000 bytes");
  EXPECT_EQ(feed(mark(0x7FFFFFFF, false), 1000, limits).error, "a record of more than 50000 bytes");
  const std::string half = mark(30000, false) + std::string(30000, 'x');
  EXPECT_EQ(feed(half + mark(20001, true), 1000, limits).error,
            "a record of more than 50000 bytes");
}

TEST(RecordReader, RefusesAFloodOfFragments) {
  std::string stream;
  for (int i = 0; i < 15; ++i) stream += mark(1, false) + "x";
  EXPECT_EQ(feed(stream + record("x"), 1000).texts(), std::vector{std::string(16, 'x')});
  EXPECT_EQ(feed(stream + mark(1, false) + "x" + record("x"), 1000).error,
            "a record of more than 16 fragments");
  EXPECT_EQ(feed(mark(0, false), 1000).error, "an empty fragment that is not last");
  EXPECT_EQ(feed(mark(1, false) + "x" + mark(0, false), 1000).error,
            "an empty fragment that is not last");
  EXPECT_EQ(feed(mark(1, false) + "x" + mark(0, true), 1000).texts(),
            std::vector<std::string>{"x"});
}

TEST(RecordReader, AsksBeforeItAllocates) {
  RecordReader reader({}, find_payload);
  const std::string start = mark(1 << 20, true) + std::string(2000, 'x');
  const MutableByteView room = reader.room();
  std::memcpy(room.data(), start.data(), start.size());
  reader.received(start.size());
  EXPECT_FALSE(reader.next()->has_value());
  EXPECT_EQ(reader.wanted(), size_t{1} << 20);
  EXPECT_FALSE(reader.next()->has_value());
  EXPECT_EQ(reader.reserved(), 0U);
  reader.grant();
  EXPECT_EQ(reader.reserved(), size_t{1} << 20);
  EXPECT_TRUE(reader.partial());
}

}  // namespace
}  // namespace turbine::nfs
