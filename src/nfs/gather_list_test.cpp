#include "nfs/gather_list.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"

namespace turbine::nfs {
namespace {

std::string front(GatherList& list, size_t pieces_max) {
  std::vector<boost::asio::const_buffer> pieces(pieces_max);
  std::string out;
  const size_t count = list.gather(pieces);
  for (size_t i = 0; i < count; ++i) {
    out.append(static_cast<const char*>(pieces[i].data()), pieces[i].size());
  }
  return out;
}

TEST(GatherList, GivesAllBytesInOrderHoweverTheyAreSent) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    GatherList list;
    std::string model;
    for (int step = 0; step < 400; ++step) {
      const size_t size = 1 + rng.below(rng.chance(1, 8) ? 4096 : 200);
      const std::string text(size, static_cast<char>('a' + rng.below(26)));
      if (rng.chance(1, 3)) {
        list.append(Buffer::copy_of(std::string_view(text)));
        model += text;
      } else if (rng.chance(2, 3)) {
        std::memcpy(list.extend(size), text.data(), size);
        model += text;
      } else {
        const std::string pieces = front(list, 1 + rng.below(8));
        ASSERT_TRUE(model.starts_with(pieces)) << "seed " << seed;
        ASSERT_TRUE(model.empty() || !pieces.empty());
        const size_t sent = rng.below(pieces.size() + 1);
        list.consume(sent);
        model.erase(0, sent);
      }
      ASSERT_EQ(list.appended() - list.sent(), model.size()) << "seed " << seed;
      ASSERT_EQ(list.empty(), model.empty());
    }
    EXPECT_EQ(front(list, 4096), model) << "seed " << seed;
    list.clear();
    EXPECT_TRUE(list.empty());
  }
}

TEST(GatherList, TakesSmallRepliesInOnePiece) {
  GatherList list;
  for (int reply = 0; reply < 20; ++reply) list.extend(100);
  std::array<boost::asio::const_buffer, 8> pieces;
  EXPECT_EQ(list.gather(pieces), 1U);
  const void* before = pieces[0].data();
  list.consume(2000);
  list.extend(100);
  ASSERT_EQ(list.gather(pieces), 1U);
  EXPECT_EQ(pieces[0].data(), before);  // the chunk is used again
}

}  // namespace
}  // namespace turbine::nfs
