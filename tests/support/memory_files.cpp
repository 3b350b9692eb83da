#include "support/memory_files.hpp"

#include <algorithm>
#include <utility>

namespace turbine::test {

MemoryFiles::MemoryFiles() {
  fs::FileStat stat;
  stat.id = kRootInode;
  stat.type = fs::FileType::directory;
  stat.mode = 0755;
  stat.links = 2;
  nodes_[kRootInode].stat = stat;
  nodes_[kRootInode].parent = kRootInode;
}

InodeId MemoryFiles::put(InodeId directory, const std::string& name, fs::FileType type,
                         std::string bytes) {
  Node& made = make(directory, name, type, {}, {});
  made.bytes = std::move(bytes);
  made.stat.size = type == fs::FileType::directory ? 4096 : made.bytes.size();
  return made.stat.id;
}

Task<fs::FileStat> MemoryFiles::stat(InodeId file) {
  if (before) CO_TRY(co_await before());
  const Node* node = CO_TRY(find(file));
  co_return node->stat;
}

Task<fs::FileChange> MemoryFiles::set_stat(fs::CallContext call, fs::Credentials who, InodeId file,
                                           fs::NewStat stat, std::optional<int64_t> guard) {
  Node* node = CO_TRY(begin(call, who, file));
  if (guard && *guard != node->stat.changed_ns) {
    co_return fail(Errc::precondition_failed, "changed meanwhile");
  }
  const auto change = begin_change(*node);
  apply(*node, stat);
  co_return end_change(*node, change);
}

Task<fs::FoundFile> MemoryFiles::lookup(fs::Credentials who, InodeId directory, std::string name) {
  CO_TRY(allow(who));
  const Node* in = CO_TRY(find_directory(directory));
  InodeId id = directory;
  if (name == "..") {
    id = in->parent;
  } else if (name != ".") {
    const auto found = in->children.find(name);
    if (found == in->children.end()) co_return fail(Errc::not_found, "no {}", name);
    id = found->second;
  }
  const Node* node = CO_TRY(find(id));
  co_return fs::FoundFile{node->stat, in->stat};
}

Task<std::string> MemoryFiles::read_link(InodeId link) {
  const Node* node = CO_TRY(find(link));
  if (node->stat.type != fs::FileType::symlink) co_return fail(Errc::invalid, "not a link");
  co_return node->bytes;
}

Task<fs::FileBytes> MemoryFiles::read(fs::Credentials who, InodeId file, uint64_t offset,
                                      uint32_t count) {
  if (before) CO_TRY(co_await before());
  CO_TRY(allow(who));
  const Node* node = CO_TRY(find_regular(file));
  fs::FileBytes out;
  out.file = node->stat;
  std::string_view bytes = node->bytes;
  bytes = bytes.substr(std::min<uint64_t>(offset, bytes.size()));
  out.end = bytes.size() <= count;
  bytes = bytes.substr(0, count);
  while (!bytes.empty()) {
    out.bytes.push_back(Buffer::copy_of(bytes.substr(0, read_piece_bytes)));
    bytes = bytes.substr(out.bytes.back().size());
  }
  co_return out;
}

Task<fs::FileChange> MemoryFiles::write(fs::CallContext call, fs::Credentials who, InodeId file,
                                        uint64_t offset, std::vector<Buffer> bytes) {
  if (before) CO_TRY(co_await before());
  CO_TRY(find_regular(file));
  Node* node = CO_TRY(begin(call, who, file));
  const auto change = begin_change(*node);
  std::string joined;
  for (const Buffer& buffer : bytes) joined += buffer.text();
  if (node->bytes.size() < offset + joined.size()) node->bytes.resize(offset + joined.size());
  node->bytes.replace(offset, joined.size(), joined);
  node->stat.size = node->bytes.size();
  node->stat.modified_ns = tick();
  co_return end_change(*node, change);
}

Task<fs::MadeFile> MemoryFiles::create(fs::CallContext call, fs::Credentials who,
                                       fs::NewFileRequest request) {
  Node* in = CO_TRY(begin_in(call, who, request.directory));
  const auto found = in->children.find(request.name);
  if (found == in->children.end()) {
    request.type = fs::FileType::regular;
    co_return add(request, who);
  }
  Node& node = nodes_.at(found->second);
  const bool taken =
      request.mode == fs::CreateMode::unchecked ||
      (request.mode == fs::CreateMode::exclusive && node.verifier == request.verifier);
  if (!taken || node.stat.type != fs::FileType::regular) {
    co_return fail(Errc::exists, "{} exists", request.name);
  }
  if (request.mode == fs::CreateMode::unchecked && request.attributes.size == 0) {
    fs::NewStat truncate;
    truncate.size = 0;
    apply(node, truncate);
  }
  co_return fs::MadeFile{node.stat, end_change(*in, begin_change(*in))};
}

Task<fs::MadeFile> MemoryFiles::make_directory(fs::CallContext call, fs::Credentials who,
                                               fs::NewFileRequest request) {
  request.type = fs::FileType::directory;
  co_return make_new(call, who, request);
}

Task<fs::MadeFile> MemoryFiles::make_symlink(fs::CallContext call, fs::Credentials who,
                                             fs::NewFileRequest request) {
  request.type = fs::FileType::symlink;
  co_return make_new(call, who, request);
}

Task<fs::MadeFile> MemoryFiles::make_special(fs::CallContext call, fs::Credentials who,
                                             fs::NewFileRequest request) {
  co_return make_new(call, who, request);
}

Task<fs::FileChange> MemoryFiles::remove(fs::CallContext call, fs::Credentials who,
                                         InodeId directory, std::string name) {
  co_return remove_now(call, who, directory, name, false);
}

Task<fs::FileChange> MemoryFiles::remove_directory(fs::CallContext call, fs::Credentials who,
                                                   InodeId directory, std::string name) {
  co_return remove_now(call, who, directory, name, true);
}

Task<MemoryFiles::Renamed> MemoryFiles::rename(fs::CallContext call, fs::Credentials who,
                                               InodeId from, std::string from_name, InodeId to,
                                               std::string to_name) {
  Node* source = CO_TRY(begin_in(call, who, from));
  Node* target = CO_TRY(find_directory(to));
  const auto found = source->children.find(from_name);
  if (found == source->children.end()) co_return fail(Errc::not_found, "no {}", from_name);
  const InodeId moved = found->second;
  const auto source_change = begin_change(*source);
  const auto target_change = begin_change(*target);
  unlink(*source, from_name);
  unlink(*target, to_name);
  link_name(*target, to_name, moved);
  nodes_.at(moved).parent = to;
  co_return Renamed{end_change(*source, source_change), end_change(*target, target_change)};
}

Task<MemoryFiles::Linked> MemoryFiles::link(fs::CallContext call, fs::Credentials who, InodeId file,
                                            InodeId directory, std::string name) {
  Node* in = CO_TRY(begin_in(call, who, directory));
  Node* node = CO_TRY(find(file));
  if (node->stat.type == fs::FileType::directory) co_return fail(Errc::is_directory, "directory");
  if (in->children.contains(name)) co_return fail(Errc::exists, "{} exists", name);
  const auto change = begin_change(*in);
  ++node->stat.links;
  link_name(*in, name, file);
  co_return Linked{node->stat, end_change(*in, change)};
}

Task<fs::DirectoryPage> MemoryFiles::list(fs::Credentials who, fs::DirectoryPageRequest request) {
  CO_TRY(allow(who));
  const Node* in = CO_TRY(find_directory(request.directory));
  if (request.after > in->last_cookie) co_return fail(Errc::invalid, "no such cookie");
  fs::DirectoryPage page;
  page.directory = in->stat;
  page.parent = in->parent;
  auto at = in->names.upper_bound(request.after);
  for (; at != in->names.end() && page.entries.size() < request.count; ++at) {
    const InodeId id = in->children.at(at->second);
    page.entries.push_back({at->first, at->second, id, std::nullopt});
    if (request.with_stat) page.entries.back().file = nodes_.at(id).stat;
  }
  page.end = at == in->names.end();
  co_return page;
}

Task<fs::SpaceStat> MemoryFiles::space(InodeId file) {
  CO_TRY(find(file));
  co_return fs::SpaceStat{1'000'000, 600'000, 5000, 4000};
}

MemoryFiles::Before MemoryFiles::begin_change(const Node& node) const {
  return {node.stat.size, node.stat.modified_ns, node.stat.changed_ns};
}

fs::FileChange MemoryFiles::end_change(Node& node, Before before) {
  node.stat.changed_ns = tick();
  return {before, node.stat};
}

Result<> MemoryFiles::allow(const fs::Credentials& who) {
  last_who = who;
  if (who.uid == denied_uid) return fail(Errc::denied, "not for uid {}", who.uid);
  return {};
}

Result<MemoryFiles::Node*> MemoryFiles::find(InodeId id) {
  if (failure) return fail(*failure, "as the test wants");
  const auto found = nodes_.find(id);
  if (found == nodes_.end()) return fail(Errc::stale, "inode {} is gone", id);
  return &found->second;
}

Result<MemoryFiles::Node*> MemoryFiles::find_directory(InodeId id) {
  Node* node = TRY(find(id));
  if (node->stat.type != fs::FileType::directory) return fail(Errc::not_directory, "no directory");
  return node;
}

Result<MemoryFiles::Node*> MemoryFiles::find_regular(InodeId id) {
  Node* node = TRY(find(id));
  if (node->stat.type == fs::FileType::directory) return fail(Errc::is_directory, "a directory");
  if (node->stat.type != fs::FileType::regular) return fail(Errc::invalid, "not regular");
  return node;
}

Result<MemoryFiles::Node*> MemoryFiles::begin(const fs::CallContext& call,
                                              const fs::Credentials& who, InodeId id) {
  TRY(allow(who));
  mutations.push_back(call);
  return find(id);
}

Result<MemoryFiles::Node*> MemoryFiles::begin_in(const fs::CallContext& call,
                                                 const fs::Credentials& who, InodeId id) {
  TRY(begin(call, who, id));
  return find_directory(id);
}

void MemoryFiles::apply(Node& node, const fs::NewStat& stat) {
  if (stat.mode) node.stat.mode = *stat.mode;
  if (stat.uid) node.stat.uid = *stat.uid;
  if (stat.gid) node.stat.gid = *stat.gid;
  if (stat.size) {
    node.bytes.resize(*stat.size);
    node.stat.size = *stat.size;
  }
  if (stat.accessed) node.stat.accessed_ns = stat.accessed->now ? tick() : stat.accessed->ns;
  if (stat.modified) node.stat.modified_ns = stat.modified->now ? tick() : stat.modified->ns;
}

void MemoryFiles::link_name(Node& in, const std::string& name, InodeId id) {
  in.children[name] = id;
  in.names[++in.last_cookie] = name;
  in.stat.modified_ns = tick();
}

void MemoryFiles::unlink(Node& in, const std::string& name) {
  in.children.erase(name);
  std::erase_if(in.names, [&](const auto& row) { return row.second == name; });
  in.stat.modified_ns = tick();
}

MemoryFiles::Node& MemoryFiles::make(InodeId directory, const std::string& name, fs::FileType type,
                                     const fs::NewStat& attributes, const fs::Credentials& who) {
  const InodeId id = InodeId::make(PartitionId(3), ++inodes_made_);
  Node& node = nodes_[id];
  node.stat.id = id;
  node.stat.type = type;
  node.stat.mode = 0644;
  node.stat.uid = who.uid;
  node.stat.gid = who.gid;
  node.stat.modified_ns = node.stat.accessed_ns = node.stat.changed_ns = tick();
  node.parent = directory;
  apply(node, attributes);
  link_name(nodes_.at(directory), name, id);
  return node;
}

Result<fs::MadeFile> MemoryFiles::make_new(const fs::CallContext& call, const fs::Credentials& who,
                                           const fs::NewFileRequest& request) {
  const Node* in = TRY(begin_in(call, who, request.directory));
  if (in->children.contains(request.name)) return fail(Errc::exists, "{} exists", request.name);
  return add(request, who);
}

fs::MadeFile MemoryFiles::add(const fs::NewFileRequest& request, const fs::Credentials& who) {
  Node& in = nodes_.at(request.directory);
  const auto change = begin_change(in);
  Node& node = make(request.directory, request.name, request.type, request.attributes, who);
  node.verifier = request.verifier;
  node.bytes = request.target;
  if (request.type == fs::FileType::symlink) node.stat.size = request.target.size();
  node.stat.device_major = request.device_major;
  node.stat.device_minor = request.device_minor;
  return {node.stat, end_change(in, change)};
}

Result<fs::FileChange> MemoryFiles::remove_now(const fs::CallContext& call,
                                               const fs::Credentials& who, InodeId directory,
                                               const std::string& name, bool as_directory) {
  Node* in = TRY(begin_in(call, who, directory));
  const auto found = in->children.find(name);
  if (found == in->children.end()) return fail(Errc::not_found, "no {}", name);
  const Node& node = nodes_.at(found->second);
  const bool is_directory = node.stat.type == fs::FileType::directory;
  if (is_directory && !as_directory) return fail(Errc::is_directory, "{} is one", name);
  if (!is_directory && as_directory) return fail(Errc::not_directory, "{} is none", name);
  if (!node.children.empty()) return fail(Errc::not_empty, "{} is not empty", name);
  const auto change = begin_change(*in);
  const InodeId id = found->second;
  unlink(*in, name);
  if (nodes_.at(id).stat.links <= 1 || is_directory) nodes_.erase(id);
  return end_change(*in, change);
}

}  // namespace turbine::test
