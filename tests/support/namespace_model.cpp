#include "support/namespace_model.hpp"

namespace turbine::test {
namespace {

/// `file` is null when there is no object.
Errc check(const fs::Conditions& conditions, const ModelFile* file) {
  if (file == nullptr) return conditions.if_match.empty() ? Errc::ok : Errc::not_found;
  const std::string etag = file->etag.empty() && file->etags.contains(file->version)
                               ? file->etags.at(file->version)
                               : file->etag;
  const auto matches = [&](const std::string& wanted) { return wanted == "*" || wanted == etag; };
  if (!conditions.if_match.empty() && !matches(conditions.if_match)) {
    return Errc::precondition_failed;
  }
  if (!conditions.if_none_match.empty() && matches(conditions.if_none_match)) {
    return Errc::precondition_failed;
  }
  return Errc::ok;
}

}  // namespace

ModelFilePtr NamespaceModel::add(ModelFile* directory, const std::string& key, ModelFilePtr file) {
  if (file->is_directory()) file->parent = directory;
  directory->entries[key] = file;
  return file;
}

void NamespaceModel::take(const ModelName& name, bool keep_directory) {
  name.directory->entries.erase(name.key);
  if (keep_directory && name.directory->entries.empty()) name.directory->implicit = false;
}

/// Implicit directories go with their last entry.
void NamespaceModel::vanish(ModelFile* directory) {
  while (directory->implicit && directory->entries.empty()) {
    ModelFile* const parent = directory->parent;
    std::erase_if(parent->entries, [&](const auto& e) { return e.second.get() == directory; });
    directory = parent;
  }
}

void NamespaceModel::change_content(ModelFile* file) {
  ++file->version;
  file->etag.clear();
}

std::optional<ModelName> NamespaceModel::locate(const std::string& bucket, const std::string& key) {
  ModelName name{this->bucket(bucket), key};
  for (size_t slash = key.find('/'); slash != std::string::npos; slash = name.key.find('/')) {
    const auto found = name.directory->entries.find(name.key.substr(0, slash + 1));
    if (found == name.directory->entries.end()) return std::nullopt;
    name = {found->second.get(), name.key.substr(slash + 1)};
  }
  return name;
}

ModelFilePtr NamespaceModel::object(const std::string& bucket, const std::string& key) {
  const auto name = locate(bucket, key);
  if (!name) return nullptr;
  auto file = name->find();
  if (file && file->type == fs::FileType::regular) return file;
  if (!name->key.empty() || !is_object(name->directory)) return nullptr;
  for (const auto& [entry, directory] : name->directory->parent->entries) {
    if (directory.get() == name->directory) return directory;
  }
  return nullptr;
}

void NamespaceModel::collect(ModelFile* directory, const std::string& path,
                             std::map<std::string, ModelFilePtr>* objects) {
  for (const auto& [key, file] : directory->entries) {
    if (file->is_directory()) {
      if (is_object(file.get())) objects->emplace(path + key, file);
      collect(file.get(), path + key, objects);
    } else if (file->type == fs::FileType::regular) {
      objects->insert_or_assign(path + key, file);
    }
  }
}

const ModelFile* NamespaceModel::bucket_of(const ModelFile* directory) const {
  while (directory->parent != nullptr && directory->parent != &root) directory = directory->parent;
  return directory;
}

std::map<std::string, ModelFilePtr> NamespaceModel::objects(const std::string& bucket) {
  std::map<std::string, ModelFilePtr> objects;
  collect(this->bucket(bucket), "", &objects);
  return objects;
}

Errc NamespaceModel::put(const std::string& bucket, const std::string& key,
                         const ModelFile& content, const fs::Conditions& conditions,
                         ModelFilePtr* made) {
  const ModelFilePtr there = object(bucket, key);
  const Errc checked = check(conditions, there.get());
  if (checked != Errc::ok) return checked;
  ModelName name{this->bucket(bucket), key};
  for (size_t slash = key.find('/'); slash != std::string::npos; slash = name.key.find('/')) {
    const std::string component = name.key.substr(0, slash + 1);
    auto& directory = name.directory->entries[component];
    if (!directory) {
      directory = std::make_shared<ModelFile>();
      directory->type = fs::FileType::directory;
      directory->mode = name.directory->mode;
      directory->bucket = bucket_of(name.directory);
      directory->implicit = true;
      directory->parent = name.directory;
    }
    name = {directory.get(), name.key.substr(slash + 1)};
  }
  if (name.key.empty() && is_object(name.directory)) name.directory->implicit = true;
  ModelFilePtr old = name.find();
  if (old && old->type != fs::FileType::regular) {
    --old->links;
    old.reset();
  }
  if (!old) {
    old = add(name.directory, name.key, std::make_shared<ModelFile>());
    old->mode = name.directory->mode & 0666U;
    old->bucket = bucket_of(name.directory);
  }
  ++old->version;
  old->bytes = content.bytes;
  old->etag = content.etag;
  old->of_parts = content.of_parts;
  old->verifier.reset();
  *made = old;
  return Errc::ok;
}

Errc NamespaceModel::remove(const std::string& bucket, const std::string& key,
                            const fs::Conditions& conditions, bool* existed) {
  *existed = false;
  const auto name = locate(bucket, key);
  const ModelFilePtr there = object(bucket, key);
  if (!name && !conditions.if_match.empty()) return Errc::precondition_failed;
  const Errc checked = check(conditions, there.get());
  if (checked != Errc::ok || !there) return checked;
  *existed = true;
  if (name->key.empty() && is_object(name->directory)) name->directory->implicit = true;
  if (!there->is_directory()) {
    take(*name, false);
    --there->links;
  }
  vanish(name->directory);
  return Errc::ok;
}

std::string NamespaceModel::show(const ModelName& name) {
  const bool is_directory = name.key.ends_with('/');
  const std::string plain = is_directory ? name.key.substr(0, name.key.size() - 1) : name.key;
  const bool shadowed = !is_directory && name.directory->entries.contains(plain + '/');
  return meta::show_name(plain, is_directory, shadowed, 0);
}

ModelFilePtr NamespaceModel::entry_of(ModelFile* directory, const std::string& name) {
  for (const std::string& key : {name + '/', name}) {
    if (const auto found = ModelName{directory, key}.find()) return found;
  }
  return nullptr;
}

std::optional<ModelName> NamespaceModel::find(ModelFile* directory, const std::string& shown) {
  for (const auto& [key, file] : directory->entries) {
    if (show({directory, key}) == shown) return ModelName{directory, key};
  }
  return std::nullopt;
}

Errc NamespaceModel::check_new(ModelFile* directory, const std::string& shown, bool is_directory,
                               std::string* name) const {
  const auto parsed = meta::parse_shown_name(shown);
  if (!parsed.ok() || parsed->hidden_file || parsed->cookie) return Errc::invalid;
  *name = parsed->name;
  if (entry_of(directory, *name)) return Errc::exists;
  return name->empty() && !is_directory && is_bucket(directory) ? Errc::invalid : Errc::ok;
}

Errc NamespaceModel::create(ModelFile* directory, const std::string& shown,
                            const fs::NewFileRequest& request, ModelFilePtr* made) {
  ModelFile file;
  file.mode = request.attributes.mode.value_or(0644);
  file.bytes.resize(request.attributes.size.value_or(0));
  file.version = file.bytes.empty() ? 0 : 1;
  if (request.mode == fs::CreateMode::exclusive) file.verifier = request.verifier;
  const Errc code = make(directory, shown, file, made);
  if (code != Errc::exists || request.mode == fs::CreateMode::guarded) return code;
  const ModelFilePtr there = entry_of(directory, meta::parse_shown_name(shown)->name);
  if (there->type != fs::FileType::regular) return Errc::exists;
  if (request.mode == fs::CreateMode::exclusive && there->verifier != request.verifier) {
    return Errc::exists;
  }
  const bool holds = !there->bytes.empty() || there->of_parts;
  if (request.attributes.size == 0 && holds) truncate(there.get(), 0);
  *made = there;
  return Errc::ok;
}

Errc NamespaceModel::make(ModelFile* directory, const std::string& shown, ModelFile file,
                          ModelFilePtr* made) {
  std::string name;
  const Errc code = check_new(directory, shown, file.is_directory(), &name);
  if (code != Errc::ok) return code;
  if (file.is_directory()) name += '/';
  *made = add(directory, name, std::make_shared<ModelFile>(std::move(file)));
  (*made)->bucket = bucket_of(directory);
  return Errc::ok;
}

Errc NamespaceModel::remove(const ModelName& name) {
  const ModelFilePtr file = name.find();
  if (!file) return Errc::not_found;
  if (file->is_directory()) return Errc::is_directory;
  take(name, true);
  --file->links;
  return Errc::ok;
}

Errc NamespaceModel::remove_directory(const ModelName& name) {
  const ModelFilePtr file = name.find();
  if (!file) return Errc::not_found;
  if (!file->is_directory()) return Errc::not_directory;
  if (!file->entries.empty()) return Errc::not_empty;
  take(name, true);
  return Errc::ok;
}

Errc NamespaceModel::rename(const ModelName& from, ModelFile* to, const std::string& shown) {
  const ModelFilePtr file = from.find();
  const auto parsed = meta::parse_shown_name(shown);
  if (!parsed.ok() || parsed->hidden_file || parsed->cookie) return Errc::invalid;
  if (!file) return Errc::not_found;
  const std::string& name = parsed->name;
  const bool is_directory = file->is_directory();
  if (!is_directory && name.empty() && is_bucket(to)) return Errc::invalid;
  for (const ModelFile* at = to; is_directory && at != nullptr; at = at->parent) {
    if (at == file.get()) return Errc::invalid;
  }
  if (const ModelFilePtr target = entry_of(to, name)) {
    if (target == file) return Errc::ok;
    if (target->is_directory() && !is_directory) return Errc::is_directory;
    if (!target->is_directory() && is_directory) return Errc::not_directory;
    if (!target->entries.empty()) return Errc::not_empty;
    if (file->bucket != bucket_of(to)) return Errc::cross_device;
    take({to, target->is_directory() ? name + '/' : name}, false);
    --target->links;
  }
  if (file->bucket != bucket_of(to)) return Errc::cross_device;
  add(to, is_directory ? name + '/' : name, file);
  take(from, true);
  return Errc::ok;
}

Errc NamespaceModel::link(const ModelFilePtr& file, ModelFile* directory,
                          const std::string& shown) {
  std::string name;
  const Errc code = check_new(directory, shown, false, &name);
  if (code != Errc::ok) return code;
  if (file->is_directory()) return Errc::not_permitted;
  if (file->bucket != bucket_of(directory)) return Errc::cross_device;
  ++file->links;
  add(directory, name, file);
  return Errc::ok;
}

Errc NamespaceModel::write(ModelFile* file, uint64_t offset, const std::string& bytes) {
  if (file->is_directory()) return Errc::is_directory;
  if (file->type != fs::FileType::regular) return Errc::invalid;
  if (bytes.empty()) return Errc::ok;
  if (file->bytes.size() < offset + bytes.size()) file->bytes.resize(offset + bytes.size());
  file->bytes.replace(offset, bytes.size(), bytes);
  change_content(file);
  return Errc::ok;
}

Errc NamespaceModel::truncate(ModelFile* file, uint64_t size) {
  if (file->is_directory()) return Errc::is_directory;
  if (file->type != fs::FileType::regular) return Errc::invalid;
  if (size == 0) file->of_parts = false;
  file->bytes.resize(size);
  change_content(file);
  return Errc::ok;
}

}  // namespace turbine::test
