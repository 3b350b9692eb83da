#include "base/buffer.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/rng.hpp"

namespace turbine {
namespace {

TEST(Buffer, SlicesKeepTheBytesAfterTheWholeIsGone) {
  Buffer slice;
  {
    const Buffer whole = Buffer::copy_of(std::string(10'000, 'a') + "tail");
    slice = whole.slice(10'000, 4);
  }
  const Buffer other = Buffer::copy_of(std::string(10'004, 'b'));
  EXPECT_EQ(slice.text(), "tail");
}

TEST(Buffer, IsPageAlignedAndAsLargeAsAsked) {
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{4096}, size_t{4097}, size_t{262'144}, size_t{3'000'000}}) {
    for (int again = 0; again < 2; ++again) {  // fresh, then perhaps one that was used before
      const Buffer buffer = Buffer::allocate(size);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % kPageBytes, 0U);
      EXPECT_EQ(buffer.size(), size);
      EXPECT_GE(buffer.capacity(), std::max<size_t>(size, 1));
      EXPECT_LT(buffer.capacity(), size + kPageBytes + 1);
    }
  }
}

TEST(Buffer, NeverSharesStorageBetweenTwoInUse) {
  Rng rng(7);
  struct Held {
    Buffer buffer;
    std::string expected;
  };
  std::vector<Held> held;
  for (int step = 0; step < 20'000; ++step) {
    if (held.size() < 50 && rng.chance(1, 2)) {
      const std::string text = std::to_string(step);
      Held& one = held.emplace_back(Buffer::allocate(text.size() + rng.below(600'000)), text);
      std::memcpy(one.buffer.data(), text.data(), text.size());
    } else if (!held.empty()) {
      const size_t at = rng.below(held.size());
      ASSERT_EQ(held[at].buffer.text().substr(0, held[at].expected.size()), held[at].expected);
      held[at] = std::move(held.back());
      held.pop_back();
    }
  }
}

TEST(Buffer, MayBeReleasedByAnotherThreadAndOutliveItsOwn) {
  std::vector<Buffer> buffers;
  std::thread([&buffers] {
    for (int i = 0; i < 100; ++i) {
      buffers.push_back(Buffer::allocate(i % 3 == 0 ? 262'144 : 4096));
      const std::string text = std::to_string(i);
      std::memcpy(buffers.back().data(), text.data(), text.size());
      buffers.back().resize(text.size());
    }
  }).join();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(buffers[i].text(), std::to_string(i));
  std::thread([&buffers] { buffers.clear(); }).join();
  EXPECT_EQ(Buffer::copy_of(std::string_view("again")).text(), "again");
}

}  // namespace
}  // namespace turbine
