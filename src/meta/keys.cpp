#include "meta/keys.hpp"

#include "base/hash.hpp"
#include "replica/slots.hpp"

namespace turbine::meta {
namespace {

constexpr uint8_t kFragment = 0;

/// A string inside a key: sorts as the string does, and what follows does not disturb that.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\xff');
  }
}

void append_terminator(std::string& out) {
  out.push_back('\0');
  out.push_back('\0');
}

}  // namespace

Keys::Keys(PartitionId partition, uint8_t generation)
    : slot_(replica::slot_of(partition, generation)) {}

std::string Keys::prefix(Kind kind) const {
  std::string key;
  key.reserve(32);
  append_be<uint16_t>(key, slot_);
  key.push_back(static_cast<char>(kind));
  return key;
}

std::string Keys::kind_end(Kind kind) const {
  return prefix(static_cast<Kind>(static_cast<uint8_t>(kind) + 1));
}

std::string Keys::number(Kind kind, uint64_t value) const {
  std::string key = prefix(kind);
  append_be<uint64_t>(key, value);
  return key;
}

std::string Keys::dirents(InodeId directory) const {
  std::string key = number(Kind::dirent, directory.value);
  key.push_back(static_cast<char>(kFragment));
  return key;
}

std::string Keys::dirent(InodeId directory, std::string_view name, bool is_directory) const {
  std::string key = dirents(directory);
  key.append(name);
  if (is_directory) key.push_back('/');
  return key;
}

std::string Keys::content(uint64_t content, uint64_t end) const {
  std::string key = number(Kind::content, content);
  append_be<uint64_t>(key, end);
  return key;
}

std::string Keys::pending(uint64_t content, uint64_t end) const {
  std::string key = number(Kind::pending, content);
  append_be<uint64_t>(key, end);
  return key;
}

std::string Keys::group(GroupId group, StripeId id) const {
  std::string key = prefix(Kind::group);
  append_be<uint32_t>(key, group.value);
  append_be<uint64_t>(key, id.value);
  return key;
}

std::string Keys::uploads(InodeId bucket, std::string_view key_prefix) const {
  std::string key = number(Kind::upload, bucket.value);
  append_escaped(key, key_prefix);
  return key;
}

std::string Keys::upload(InodeId bucket, std::string_view key, std::string_view id) const {
  std::string out = uploads(bucket, key);
  append_terminator(out);
  out.append(id);
  return out;
}

std::string Keys::parts_of(std::string_view upload_id) const {
  std::string key = prefix(Kind::part);
  append_be<uint16_t>(key, static_cast<uint16_t>(upload_id.size()));
  key.append(upload_id);
  return key;
}

std::string Keys::part(std::string_view upload_id, uint32_t number) const {
  std::string key = parts_of(upload_id);
  append_be<uint32_t>(key, number);
  return key;
}

std::string Keys::txn(Kind kind, const proto::TxnId& id) const {
  std::string key = number(kind, id.session());
  append_be<uint64_t>(key, id.sequence());
  append_be<uint64_t>(key, id.attempt());
  append_be<uint32_t>(key, id.step());
  return key;
}

std::string Keys::replay(uint64_t bucket, RequestId id) const {
  std::string key = number(Kind::replay, bucket);
  append_be<uint64_t>(key, id.session.value);
  append_be<uint64_t>(key, id.sequence);
  return key;
}

std::string Keys::hidden(SessionId session, InodeId id) const {
  std::string key = number(Kind::hidden, session.value);
  append_be<uint64_t>(key, id.value);
  return key;
}

std::string Keys::cookie(InodeId directory, uint64_t cookie) const {
  std::string key = number(Kind::dirseq, directory.value);
  append_be<uint64_t>(key, cookie);
  return key;
}

std::string Keys::gone_cookie(int64_t removed_ns, InodeId directory, uint64_t cookie) const {
  std::string key = number(Kind::gone_cookie, static_cast<uint64_t>(removed_ns));
  append_be<uint64_t>(key, directory.value);
  append_be<uint64_t>(key, cookie);
  return key;
}

std::string Keys::locks_from(std::string_view address) const {
  return number(Kind::lock_owner, hash64(address));
}

std::string Keys::lock_from(std::string_view address, InodeId id) const {
  std::string key = locks_from(address);
  append_be<uint64_t>(key, id.value);
  return key;
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

uint64_t number_in_key(std::string_view key, size_t index) {
  const size_t at = kKeyPrefixBytes + index * sizeof(uint64_t);
  if (key.size() < at + sizeof(uint64_t)) return 0;
  return load_be<uint64_t>(key.data() + at);
}

}  // namespace turbine::meta
