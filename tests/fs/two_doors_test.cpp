// Both doors at random: operations on objects and on files over one array, against one model.
#include <gtest/gtest.h>

#include <cstdlib>

#include "fs/two_doors.hpp"

namespace turbine::fs {
namespace {

struct TwoDoorsRuns : TwoDoors, testing::WithParamInterface<uint64_t> {
  TwoDoorsRuns() : TwoDoors(GetParam()) {}

  // Operations on objects. ----------------------------------------------------------------------

  Conditions any_conditions(const ModelFilePtr& there) {
    Conditions conditions;
    if (!rng.chance(1, 6)) return conditions;
    std::string etag = rng.chance(1, 2) ? "*" : "none";
    if (there && there->etags.contains(there->version) && rng.chance(1, 2)) {
      etag = there->etags.at(there->version);
    }
    (rng.chance(1, 2) ? conditions.if_match : conditions.if_none_match) = etag;
    return conditions;
  }
  static Task<ObjectInfo> put_with(FileSystem& to, std::string in, std::string key,
                                   std::string bytes, std::string etag, Conditions conditions) {
    auto writer = CO_TRY(co_await to.create(to.begin(7), in, key, bytes.size()));
    if (!bytes.empty()) CO_TRY(co_await writer->write(Buffer::copy_of(bytes)));
    NewObject attributes;
    attributes.etag = etag;
    co_return co_await writer->commit(std::move(attributes), std::move(conditions));
  }
  static Task<ObjectInfo> put_parts(FileSystem& to, std::string in, std::string key,
                                    std::vector<std::string> parts, std::string etag,
                                    Conditions conditions) {
    const auto upload = CO_TRY(co_await to.create_upload(to.begin(7), in, key, NewObject{}));
    std::vector<PartInfo> made;
    for (const std::string& bytes : parts) {
      const auto number = static_cast<uint32_t>(made.size() + 1);
      auto writer =
          CO_TRY(co_await to.create_part(to.begin(7), in, key, upload.id, number, bytes.size()));
      if (!bytes.empty()) CO_TRY(co_await writer->write(Buffer::copy_of(bytes)));
      NewObject attributes;
      attributes.etag = fmt::format("part{}", number);
      CO_TRY(co_await writer->commit(attributes, {}));
      made.push_back({.number = number, .size = 0, .etag = attributes.etag, .modified_ns = 0});
    }
    auto done = co_await to.complete_upload(to.begin(7), in, key, upload.id, made,
                                            std::move(conditions), std::move(etag));
    if (!done.ok()) CO_TRY(co_await to.abort_upload(to.begin(7), in, key, upload.id));
    co_return done;
  }
  void put_object_somewhere(bool in_parts) {
    const std::string bucket = any_bucket(), key = any_key(bucket);
    const ModelFilePtr there = model.object(bucket, key);
    const Conditions conditions = any_conditions(there);
    std::vector<std::string> parts = {any_bytes()};
    if (in_parts && rng.chance(1, 2)) parts.push_back(any_bytes());
    ModelFile content;
    for (const std::string& part : parts) content.bytes += part;
    content.etag = fmt::format("{:032x}", ++etags_made);
    note("PUT {} '{}' {} bytes, {} parts, if-match '{}', if-none-match '{}'", bucket, key,
         content.bytes.size(), in_parts ? parts.size() : 0, conditions.if_match,
         conditions.if_none_match);
    ArrayFileSystem& door = gateway();
    const auto info =
        in_parts ? run(put_parts(door, bucket, key, parts, content.etag, conditions))
                 : run(put_with(door, bucket, key, content.bytes, content.etag, conditions));
    if (info.ok()) content.of_parts = info->part_count > 0;
    ModelFilePtr made;
    ASSERT_EQ(code_of(info), model.put(bucket, key, content, conditions, &made))
        << (info.ok() ? "" : info.error().text());
    if (!info.ok()) return;
    ASSERT_NO_FATAL_FAILURE(learn(made, info->inode));
    expect_object(key, made, *info);
  }
  void remove_object() {
    const std::string bucket = any_bucket(), key = any_key(bucket);
    const Conditions conditions = any_conditions(model.object(bucket, key));
    note("DELETE {} '{}', if-match '{}', if-none-match '{}'", bucket, key, conditions.if_match,
         conditions.if_none_match);
    ArrayFileSystem& door = gateway();
    const auto removed = run(door.remove(door.begin(7), bucket, key, conditions));
    bool existed = false;
    ASSERT_EQ(code_of(removed), model.remove(bucket, key, conditions, &existed))
        << (removed.ok() ? "" : removed.error().text());
    if (removed.ok()) ASSERT_EQ(*removed, existed);
  }
  void list_objects() {
    static const std::vector<std::string> kDelimiters = {"", "/", "/", "a", "."};
    const std::string bucket = any_bucket();
    ListRequest request;
    const auto some = [&] {
      const std::string key = any_key(bucket);
      return key.substr(0, rng.below(key.size() + 1));
    };
    request.delimiter = kDelimiters[rng.below(kDelimiters.size())];
    if (rng.chance(1, 2)) request.prefix = some();
    if (rng.chance(1, 2)) request.start_after = rng.chance(1, 2) ? some() : request.prefix + some();
    request.count = rng.chance(1, 4) ? 1000 : rng.below(12) + 1;
    expect_same_list(bucket, request);
  }

  // Operations on files. ------------------------------------------------------------------------

  void make_something(uint64_t kind) {
    ModelFile* const in = any_directory();
    NewFileRequest request = request_of(id_of(in), new_name(), rng.chance(1, 2) ? 0644 : 0755);
    ModelFile file;
    file.mode = *request.attributes.mode;
    ModelFilePtr made;
    if (kind == 0) {
      request.mode = static_cast<CreateMode>(rng.below(3));
      request.verifier = rng.below(3);
      if (request.mode != CreateMode::exclusive && rng.chance(1, 3)) {
        request.attributes.size = rng.chance(1, 2) ? 0 : rng.below(1000);
      }
    } else if (kind == 1) {
      file.type = FileType::directory;
    } else if (kind == 2) {
      file.type = FileType::symlink;
      file.bytes = request.target = "to/" + any_component();
    } else {
      file.type = request.type = rng.chance(1, 2) ? FileType::fifo : FileType::block;
    }
    const auto real = twice([&](Files& door, CallContext c) {
      if (kind == 0) return door.create(c, root, request);
      if (kind == 1) return door.make_directory(c, root, request);
      return kind == 2 ? door.make_symlink(c, root, request) : door.make_special(c, root, request);
    });
    const Errc wanted = kind == 0 ? model.create(in, request.name, request, &made)
                                  : model.make(in, request.name, file, &made);
    note("make {} {} in {} as '{}': {}", kind, static_cast<int>(request.mode), request.directory,
         request.name, errc_name(code_of(real)));
    ASSERT_EQ(code_of(real), wanted) << (real.ok() ? "" : real.error().text());
    if (!real.ok()) return;
    ASSERT_NO_FATAL_FAILURE(learn(made, real->file.id));
    expect_same_stat(made.get(), real->file);
  }
  void remove_entry(bool as_directory) {
    const auto entry = any_entry();
    if (!entry || is_ambiguous(*entry)) return;
    const InodeId in = id_of(entry->directory);
    const std::string name = shown(*entry);
    id_of(entry->find().get(), entry->directory);
    const auto real = twice([&](Files& door, CallContext c) {
      return as_directory ? door.remove_directory(c, root, in, name)
                          : door.remove(c, root, in, name);
    });
    note("{} '{}' in {}: {}", as_directory ? "rmdir" : "remove", name, in,
         errc_name(code_of(real)));
    const Errc wanted = as_directory ? model.remove_directory(*entry) : model.remove(*entry);
    ASSERT_EQ(code_of(real), wanted) << (real.ok() ? "" : real.error().text());
  }
  void rename_entry() {
    const auto entry = any_entry();
    if (!entry || is_ambiguous(*entry)) return;
    ModelFile* const to = rng.chance(1, 3) ? entry->directory : any_directory();
    const InodeId from_id = id_of(entry->directory), to_id = id_of(to);
    const std::string name = shown(*entry);
    id_of(entry->find().get(), entry->directory);
    std::string to_name = new_name();
    if (!to->entries.empty() && rng.chance(1, 2)) {
      to_name =
          model.show({to, std::next(to->entries.begin(), rng.below(to->entries.size()))->first});
    }
    const auto real = twice([&](Files& door, CallContext c) {
      return door.rename(c, root, from_id, name, to_id, to_name);
    });
    note("rename '{}' in {} to '{}' in {}: {}", name, from_id, to_name, to_id,
         errc_name(code_of(real)));
    ASSERT_EQ(code_of(real), model.rename(*entry, to, to_name))
        << (real.ok() ? "" : real.error().text());
  }
  void link_entry() {
    const auto entry = any_entry();
    if (!entry || is_ambiguous(*entry)) return;
    const ModelFilePtr file = entry->find();
    const InodeId id = id_of(file.get(), entry->directory);
    ModelFile* const to = any_directory();
    const InodeId in = id_of(to);
    const std::string name = new_name();
    const auto real =
        twice([&](Files& door, CallContext c) { return door.link(c, root, id, in, name); });
    note("link {} in {} as '{}': {}", id, in, name, errc_name(code_of(real)));
    ASSERT_EQ(code_of(real), model.link(file, to, name)) << (real.ok() ? "" : real.error().text());
    if (real.ok()) expect_same_stat(file.get(), real->file);
  }
  void change_bytes(bool truncates) {
    const auto entry = any_entry();
    if (!entry || is_ambiguous(*entry)) return;
    const ModelFilePtr file = entry->find();
    const InodeId id = id_of(file.get(), entry->directory);
    const uint64_t at = rng.chance(1, 3)    ? 0
                        : rng.chance(1, 10) ? rng.below(200'000)
                                            : rng.below(file->bytes.size() + 10);
    const std::string bytes = any_bytes();
    NewStat stat;
    stat.size = at;
    const auto real = twice([&](Files& door, CallContext c) {
      return truncates ? door.set_stat(c, root, id, stat, {})
                       : door.write(c, root, id, at, {Buffer::copy_of(bytes)});
    });
    note("{} {} at {}, {} bytes: {}", truncates ? "truncate" : "write", id, at, bytes.size(),
         errc_name(code_of(real)));
    const Errc wanted =
        truncates ? model.truncate(file.get(), at) : model.write(file.get(), at, bytes);
    ASSERT_EQ(code_of(real), wanted) << (real.ok() ? "" : real.error().text());
    if (real.ok() && real->after) expect_same_stat(file.get(), *real->after);
  }
  void change_mode() {
    const auto entry = any_entry();
    if (!entry || is_ambiguous(*entry)) return;
    const ModelFilePtr file = entry->find();
    const InodeId id = id_of(file.get(), entry->directory);
    NewStat stat;
    stat.mode = rng.chance(1, 2) ? 0600 : 0777;
    const auto real =
        twice([&](Files& door, CallContext c) { return door.set_stat(c, root, id, stat, {}); });
    ASSERT_TRUE(real.ok()) << real.error().text();
    file->mode = *stat.mode;
  }
  void look() {
    ModelFile* const in = any_directory();
    const std::string name = new_name();
    const auto wanted = model.find(in, name);
    const auto found = run(gateway().files().lookup(root, id_of(in), name));
    ASSERT_EQ(code_of(found), wanted ? Errc::ok : Errc::not_found) << name;
    if (!wanted) return;
    const ModelFilePtr file = wanted->find();
    ASSERT_NO_FATAL_FAILURE(learn(file, found->file.id));
    expect_same_stat(file.get(), found->file);
    if (file->type == FileType::regular) {
      const uint64_t from = rng.below(file->bytes.size() + 2);
      expect_same_read(file.get(), from, static_cast<uint32_t>(rng.below(100'000)));
    } else if (file->type == FileType::symlink) {
      EXPECT_EQ(*run(gateway().files().read_link(file->id)), file->bytes);
    }
  }

  void step(bool crowded) {
    uint64_t dice = rng.below(crowded ? 150 : 100);
    if (dice >= 100) return dice < 120 ? remove_object() : remove_entry(dice % 4 == 0);
    if (dice < 13) return put_object_somewhere(false);
    if (dice < 16) return put_object_somewhere(true);
    if (dice < 23) return remove_object();
    if (dice < 30) {
      const std::string bucket = any_bucket();
      return expect_same_get(bucket, any_key(bucket));
    }
    if (dice < 36) return list_objects();
    if (dice < 44) return make_something(0);
    if (dice < 49) return make_something(1);
    if (dice < 51) return make_something(2);
    if (dice < 53) return make_something(3);
    if (dice < 58) return remove_entry(false);
    if (dice < 61) return remove_entry(true);
    if (dice < 72) return rename_entry();
    if (dice < 77) return link_entry();
    if (dice < 85) return change_bytes(false);
    if (dice < 88) return change_bytes(true);
    if (dice < 90) return change_mode();
    if (dice < 97) return look();
    expect_same_directory(any_directory());
  }
};

// TURBINE_FS_OPERATIONS sets the count of each run (10^5 in the soak run).
INSTANTIATE_TEST_SUITE_P(Seeds, TwoDoorsRuns, testing::Range<uint64_t>(1, 5));
TEST_P(TwoDoorsRuns, LeadIntoOneNamespace) {
  const char* const wish = std::getenv("TURBINE_FS_OPERATIONS");
  const uint64_t operations = wish != nullptr ? std::strtoull(wish, nullptr, 10) : 5000;
  bool crowded = false;
  for (uint64_t i = 0; i < operations; ++i) {
    if (i % 50 == 0) crowded = known.size() > 150;
    ASSERT_NO_FATAL_FAILURE(step(crowded)) << "operation " << i;
    ASSERT_FALSE(HasFailure()) << "operation " << i;
    if (i % 250 == 249) {
      ASSERT_NO_FATAL_FAILURE(expect_same_tree()) << "after operation " << i;
      ASSERT_FALSE(HasFailure()) << "after operation " << i;
      if (rng.chance(1, 3)) array.clock.advance(std::chrono::seconds(60));
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_same_tree());
}

}  // namespace
}  // namespace turbine::fs
