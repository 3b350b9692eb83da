#include "sim/file_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace turbine::sim {
namespace {

constexpr uint32_t kObjectMode = 0644;  // of objects in directories of mode 0755

}  // namespace

std::string to_text(const FileOperation& operation) {
  using Kind = FileOperation::Kind;
  const FileOperation& op = operation;
  const auto name = [&] { return fmt::format("'{}' in {}", op.name, op.directory); };
  switch (op.kind) {
    case Kind::create:
      return "create " + name();
    case Kind::make_directory:
      return "mkdir " + name();
    case Kind::rename:
      return fmt::format("rename {} to '{}' in {}", name(), op.to_name, op.to);
    case Kind::link:
      return fmt::format("link {} as {}", op.file, name());
    case Kind::remove:
      return "remove " + name();
    case Kind::remove_directory:
      return "rmdir " + name();
    case Kind::set_mode:
      return fmt::format("chmod {:o} {}", op.mode, op.file);
    case Kind::set_size:
      return fmt::format("truncate {} to {}", op.file, op.size);
    case Kind::write:
      return fmt::format("write {} B at {} of {}", op.bytes.size(), op.offset, op.file);
    case Kind::put_object:
      return fmt::format("put {} B as {}", op.bytes.size(), name());
    case Kind::delete_object:
      return "delete object " + name();
  }
  return {};
}

void FileTree::add_top(InodeId id, std::string path) {
  Node& top = nodes_[id];
  top.is_directory = true;
  top.mode = 0755;
  tops_[id] = std::move(path);
}

std::optional<InodeId> FileTree::find(InodeId directory, const std::string& name) const {
  const auto& entries = nodes_.at(directory).entries;
  const auto entry = entries.find(name);
  if (entry == entries.end()) return std::nullopt;
  return entry->second.id;
}

InodeId FileTree::add(InodeId directory, const std::string& name, Node node) {
  const InodeId id(kUnnamed + ++last_serial_);
  node.parent = directory;
  nodes_[id] = std::move(node);
  insert(directory, name, id);
  return id;
}

void FileTree::insert(InodeId directory, const std::string& name, InodeId id) {
  nodes_.at(directory).entries[name] = {id, ++last_serial_};
  Node& node = nodes_.at(id);
  node.parent = directory;
  if (!node.is_directory) ++node.links;
}

void FileTree::drop(InodeId directory, const std::string& name) {
  auto& entries = nodes_.at(directory).entries;
  const InodeId id = entries.at(name).id;
  entries.erase(name);
  Node& node = nodes_.at(id);
  if (node.is_directory || --node.links == 0) nodes_.erase(id);
}

void FileTree::adopt(InodeId made, InodeId id) {
  auto node = nodes_.extract(made);
  node.key() = id;
  nodes_.insert(std::move(node));
  for (auto& [other, directory] : nodes_) {
    if (directory.parent == made) directory.parent = id;
    for (auto& [name, entry] : directory.entries) {
      if (entry.id == made) entry.id = id;
    }
  }
}

Errc FileTree::apply(const FileOperation& op) {
  using Kind = FileOperation::Kind;
  switch (op.kind) {
    case Kind::create:
    case Kind::make_directory: {
      if (find(op.directory, op.name)) return Errc::exists;
      Node node;
      node.is_directory = op.kind == Kind::make_directory;
      node.mode = op.mode;
      if (!node.is_directory) node.bytes = std::make_shared<const std::string>();
      add(op.directory, op.name, std::move(node));
      return Errc::ok;
    }
    case Kind::rename:
      return rename(op);
    case Kind::link:
      if (find(op.directory, op.name)) return Errc::exists;
      if (node(op.file).is_directory) return Errc::not_permitted;
      insert(op.directory, op.name, op.file);
      return Errc::ok;
    case Kind::remove: {
      const auto id = find(op.directory, op.name);
      if (!id) return Errc::not_found;
      if (node(*id).is_directory) return Errc::is_directory;
      drop(op.directory, op.name);
      return Errc::ok;
    }
    case Kind::remove_directory: {
      const auto id = find(op.directory, op.name);
      if (!id) return Errc::not_found;
      if (!node(*id).is_directory) return Errc::not_directory;
      if (!node(*id).entries.empty()) return Errc::not_empty;
      drop(op.directory, op.name);
      return Errc::ok;
    }
    case Kind::set_mode:
      nodes_.at(op.file).mode = op.mode;
      return Errc::ok;
    case Kind::set_size:
    case Kind::write:
      return write(op);
    case Kind::put_object:
      return put(op);
    case Kind::delete_object: {
      const auto id = find(op.directory, op.name);
      if (!id || node(*id).is_directory) return Errc::not_found;
      drop(op.directory, op.name);
      return Errc::ok;
    }
  }
  return Errc::unsupported;
}

Errc FileTree::rename(const FileOperation& op) {
  const auto source = find(op.directory, op.name);
  if (!source) return Errc::not_found;
  const bool is_directory = node(*source).is_directory;
  if (is_directory && op.directory != op.to && is_below(op.to, *source)) return Errc::invalid;
  const auto target = find(op.to, op.to_name);
  if (target && *target == *source) return Errc::ok;
  if (target) {
    const Node& there = node(*target);
    if (there.is_directory && !is_directory) return Errc::is_directory;
    if (!there.is_directory && is_directory) return Errc::not_directory;
    if (!there.entries.empty()) return Errc::not_empty;
    drop(op.to, op.to_name);
  }
  insert(op.to, op.to_name, *source);
  auto& entries = nodes_.at(op.directory).entries;
  entries.erase(op.name);
  if (!is_directory) --nodes_.at(*source).links;
  return Errc::ok;
}

Errc FileTree::write(const FileOperation& op) {
  Node& file = nodes_.at(op.file);
  std::string bytes = *file.bytes;
  if (op.kind == FileOperation::Kind::set_size) {
    bytes.resize(op.size);
  } else {
    bytes.resize(std::max<size_t>(bytes.size(), op.offset + op.bytes.size()));
    bytes.replace(op.offset, op.bytes.size(), op.bytes);
  }
  file.bytes = std::make_shared<const std::string>(std::move(bytes));
  file.etag.clear();
  return Errc::ok;
}

Errc FileTree::put(const FileOperation& op) {
  auto id = find(op.directory, op.name);
  if (id && node(*id).is_directory) return Errc::unsupported;  // a file beside it: not modelled
  if (!id) {
    Node file;
    file.mode = kObjectMode;
    id = add(op.directory, op.name, std::move(file));
  }
  Node& file = nodes_.at(*id);
  file.bytes = std::make_shared<const std::string>(op.bytes);
  file.etag = fmt::format("{:016x}", op.version);
  return Errc::ok;
}

uint32_t FileTree::links(InodeId id) const {
  const Node& node = nodes_.at(id);
  if (!node.is_directory) return node.links;
  return 2 + static_cast<uint32_t>(std::ranges::count_if(node.entries, [this](const auto& entry) {
           return nodes_.at(entry.second.id).is_directory;
         }));
}

bool FileTree::is_below(InodeId directory, InodeId above) const {
  for (;; directory = node(directory).parent) {
    if (directory == above) return true;
    if (tops_.contains(directory)) return false;
  }
}

std::string FileTree::path(InodeId directory) const {
  const auto top = tops_.find(directory);
  if (top != tops_.end()) return top->second;
  const InodeId parent = node(directory).parent;
  for (const auto& [name, entry] : node(parent).entries) {
    if (entry.id == directory) return path(parent) + "/" + name;
  }
  return {};
}

void FileTree::collect(InodeId directory, const std::string& prefix,
                       std::map<std::string, InodeId>* objects) const {
  for (const auto& [name, entry] : node(directory).entries) {
    if (!node(entry.id).is_directory) {
      (*objects)[prefix + name] = entry.id;
      continue;
    }
    (*objects)[prefix + name + "/"] = entry.id;
    collect(entry.id, prefix + name + "/", objects);
  }
}

std::map<std::string, InodeId> FileTree::objects() const {
  std::map<std::string, InodeId> objects;
  for (const auto& [id, path] : tops_) collect(id, path + "/", &objects);
  return objects;
}

}  // namespace turbine::sim
