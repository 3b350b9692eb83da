#include "fs/file_content.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.hpp"

namespace turbine::fs {
namespace {

constexpr uint64_t kZeroesAtOnce = 1 << 20;

Task<> send_release(CorePtr core, InodeId inode, uint64_t pin) {
  proto::ReleasePinRequest request;
  request.add_pins(pin);
  request.set_session(core->session.value);
  request.set_inode(inode.value);
  const auto sent = co_await core->ask<proto::ReleasePinReply>(
      inode.partition(), proto::RELEASE_PIN, std::move(request));
  // The pin ends with the session.
  if (!sent.ok()) log::debug("pin of inode {} not released: {}", inode, sent.error().text());
  co_return Result<>{};
}

}  // namespace

// The asked bytes: buffers that are at hand, and reads of extents that fill the empty places.
struct FileContent::Plan {
  struct Read {
    size_t place;  // in `parts`
    proto::Extent extent;
    uint64_t skip, length;
  };
  struct PartRead {
    size_t place;
    std::shared_ptr<FileContent> content;
    uint64_t skip, length;
  };
  std::vector<std::vector<Buffer>> parts;
  std::vector<Read> reads;
  std::vector<PartRead> part_reads;
};

Result<> FileContent::take(uint64_t from, const proto::Content& content, Buffer payload) {
  extents_.clear();
  inline_bytes_.clear();
  window_from_ = from;
  window_to_ = content.covered_to();
  if (version_ == 0) version_ = content.content_version();
  for (const proto::Extent& extent : content.extents()) extents_[extent.offset()] = extent;
  size_t at = 0;
  for (const proto::InlineRun& run : content.inline_runs()) {
    if (run.length() > payload.size() - at) {
      return fail(Errc::corrupt, "inode {}: inline bytes end early", inode_);
    }
    inline_bytes_[run.offset()] = payload.slice(at, run.length());
    at += run.length();
  }
  return {};
}

std::shared_ptr<FileContent> FileContent::part(InodeId inode) {
  auto& content = part_contents_[inode];
  if (!content) content = std::make_shared<FileContent>(core_, inode);
  return content;
}

/// Bytes that this content has not itself: of the parts, or zeroes.
void FileContent::plan_gap(Plan& plan, uint64_t offset, uint64_t length) {
  const uint64_t end = offset + length;
  auto part_at = std::ranges::upper_bound(parts_, offset, {}, &proto::PartRef::offset);
  if (part_at != parts_.begin()) --part_at;
  while (offset < end) {
    while (part_at != parts_.end() && part_at->offset() + part_at->length() <= offset) ++part_at;
    uint64_t until = end;
    if (part_at != parts_.end() && part_at->offset() <= offset) {
      until = std::min(end, part_at->offset() + part_at->length());
      plan.part_reads.push_back({plan.parts.size(), part(InodeId(part_at->inode())),
                                 offset - part_at->offset(), until - offset});
      plan.parts.emplace_back();
    } else {
      if (part_at != parts_.end()) until = std::min(end, part_at->offset());
      until = std::min(until, offset + kZeroesAtOnce);
      plan.parts.push_back({Buffer::zeroed(until - offset)});
    }
    offset = until;
  }
}

FileContent::Plan FileContent::plan(uint64_t offset, uint64_t length) {
  Plan plan;
  const uint64_t end = offset + length;
  while (offset < end) {
    uint64_t until = end;  // of the piece found
    auto run = inline_bytes_.upper_bound(offset);
    if (run != inline_bytes_.end()) until = std::min(until, run->first);
    if (run != inline_bytes_.begin()) {
      --run;
      const uint64_t skip = offset - run->first;
      if (skip < run->second.size()) {
        const uint64_t size = std::min(end - offset, run->second.size() - skip);
        plan.parts.push_back({run->second.slice(skip, size)});
        offset += size;
        continue;
      }
    }
    auto extent = extents_.upper_bound(offset);
    if (extent != extents_.end()) until = std::min(until, extent->first);
    if (extent != extents_.begin()) {
      --extent;
      const uint64_t skip = offset - extent->first;
      if (skip < extent->second.length()) {
        const uint64_t size = std::min(until - offset, extent->second.length() - skip);
        plan.reads.push_back({plan.parts.size(), extent->second, skip, size});
        plan.parts.emplace_back();
        offset += size;
        continue;
      }
    }
    plan_gap(plan, offset, until - offset);
    offset = until;
  }
  return plan;
}

size_t FileContent::memory_bytes() const {
  constexpr size_t kPerRun = 160;  // a node of the map with what it holds
  size_t bytes = sizeof(FileContent) + (extents_.size() + inline_bytes_.size()) * kPerRun;
  for (const auto& [offset, data] : inline_bytes_) bytes += data.size();
  return bytes;
}

Task<> fetch_content(std::shared_ptr<FileContent> content, uint64_t from, bool pin,
                     uint64_t length) {
  const CorePtr core = content->core_;
  proto::GetExtentsRequest request;
  request.set_inode(content->inode_.value);
  request.set_offset(from);
  request.set_length(length != 0 ? length : core->options.content_window_bytes);
  request.set_content_version(content->version_);
  request.set_pin(pin);
  request.set_session(core->session.value);
  auto reply = co_await core->ask<proto::GetExtentsReply>(content->inode_.partition(),
                                                          proto::GET_EXTENTS, std::move(request));
  if (reply.failed_with(Errc::stale) || reply.failed_with(Errc::not_found)) {
    co_return fail(Errc::conflict, "inode {} is gone", content->inode_);
  }
  if (!reply.ok()) co_return fail(std::move(reply).error());
  if (pin) content->pin_ = reply->body.pin();
  co_return content->take(from, reply->body.content(), std::move(reply->payload));
}

Task<std::vector<Buffer>> read_content(std::shared_ptr<FileContent> content, uint64_t offset,
                                       uint64_t length) {
  bool fetched_again = false;
  for (;;) {
    if (!content->covers(offset, length)) {
      CO_TRY(co_await fetch_content(content, offset, false));
      if (!content->covers(offset, length)) {
        co_return fail(Errc::unavailable, "inode {}: no extents for bytes {} to {} were given",
                       content->inode_, offset, offset + length);
      }
    }
    FileContent::Plan plan = content->plan(offset, length);
    std::vector<Task<std::vector<Buffer>>> reads;
    reads.reserve(plan.reads.size());
    for (const auto& read : plan.reads) {
      reads.push_back(content->core_->reader.read(read.extent, read.skip, read.length));
    }
    for (const auto& read : plan.part_reads) {
      reads.push_back(read_content(read.content, read.skip, read.length));
    }
    auto results = co_await when_all(std::move(reads));
    for (size_t i = 0; i < plan.part_reads.size(); ++i) {
      auto& bytes = results[plan.reads.size() + i];
      if (!bytes.ok()) co_return fail(std::move(bytes).error());
      plan.parts[plan.part_reads[i].place] = std::move(*bytes);
    }
    std::optional<proto::Extent> absent;
    for (size_t i = 0; i < plan.reads.size(); ++i) {
      if (results[i].failed_with(Errc::not_found)) {
        absent = plan.reads[i].extent;
      } else if (!results[i].ok()) {
        co_return fail(std::move(results[i]).error());
      } else {
        plan.parts[plan.reads[i].place] = std::move(*results[i]);
      }
    }
    if (!absent) {
      std::vector<Buffer> buffers;
      for (auto& part : plan.parts) std::ranges::move(part, std::back_inserter(buffers));
      co_return buffers;
    }
    // The stripe may have been written anew elsewhere: only the same answer again means loss.
    const std::string place = absent->SerializeAsString();
    if (fetched_again) {
      co_return fail(Errc::io, "inode {}: stripe {} is lost", content->inode_,
                     StripeId(absent->stripe()));
    }
    fetched_again = true;
    CO_TRY(co_await fetch_content(content, offset, false));
    const auto again = content->extents_.find(absent->offset());
    if (again != content->extents_.end() && again->second.SerializeAsString() == place) {
      co_return fail(Errc::io, "inode {}: stripe {} is lost", content->inode_,
                     StripeId(absent->stripe()));
    }
  }
}

void release_pin(const std::shared_ptr<FileContent>& content) {
  if (content->pin_ == 0) return;
  content->core_->gate.spawn("release a pin", send_release(content->core_, content->inode_,
                                                           std::exchange(content->pin_, 0)));
}

}  // namespace turbine::fs
