// NamespaceModel: what the namespace should be, through both of its doors.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fs/files.hpp"
#include "meta/shown_name.hpp"

namespace turbine::test {

/// An inode. Objects of an array have one owner here, and one user who may everything.
struct ModelFile {
  fs::FileType type = fs::FileType::regular;
  uint32_t mode = 0644;
  uint32_t links = 1;
  std::string bytes;  // of a symbolic link: where it leads
  std::string etag;   // as a PUT gave it; empty: the array's own
  bool of_parts = false;
  std::optional<uint64_t> verifier;
  uint64_t version = 0;  // counts changes of content
  // Of a directory.
  bool implicit = false;
  ModelFile* parent = nullptr;
  const ModelFile* bucket = nullptr;                          // in which it was made
  std::map<std::string, std::shared_ptr<ModelFile>> entries;  // a directory's name ends with '/'
  // What was seen of it.
  InodeId id;
  std::map<uint64_t, std::string> etags;  // by version
  int64_t modified_ns = 0;                // Last-Modified

  bool is_directory() const { return type == fs::FileType::directory; }
};
using ModelFilePtr = std::shared_ptr<ModelFile>;

/// A name in a directory: an entry's key, or what a new entry would have.
struct ModelName {
  ModelFile* directory = nullptr;
  std::string key;  // in `entries`

  ModelFilePtr find() const {
    const auto found = directory->entries.find(key);
    return found == directory->entries.end() ? nullptr : found->second;
  }
};

/// Operations answer what the array must answer, and take effect when that is Errc::ok.
class NamespaceModel {
 public:
  NamespaceModel() {
    root.type = fs::FileType::directory;
    root.id = kRootInode;
  }
  ModelFile root;

  ModelFile* bucket(const std::string& name) { return root.entries.at(name + '/').get(); }

  // S3. -----------------------------------------------------------------------------------------

  /// Of a directory made by mkdir: the directory, for its own empty object. Null: there is none.
  ModelFilePtr object(const std::string& bucket, const std::string& key);
  /// All of them, by key.
  std::map<std::string, ModelFilePtr> objects(const std::string& bucket);
  /// `made`: the file, new or replaced.
  Errc put(const std::string& bucket, const std::string& key, const ModelFile& content,
           const fs::Conditions& conditions, ModelFilePtr* made);
  Errc remove(const std::string& bucket, const std::string& key, const fs::Conditions& conditions,
              bool* existed);

  // Files, whose names are as they are shown. ---------------------------------------------------

  static std::string show(const ModelName& name);
  /// The entry of that name.
  static std::optional<ModelName> find(ModelFile* directory, const std::string& shown);
  Errc create(ModelFile* directory, const std::string& shown, const fs::NewFileRequest& request,
              ModelFilePtr* made);
  Errc make(ModelFile* directory, const std::string& shown, ModelFile file, ModelFilePtr* made);
  Errc remove(const ModelName& name);
  Errc remove_directory(const ModelName& name);
  Errc rename(const ModelName& from, ModelFile* to, const std::string& shown);
  Errc link(const ModelFilePtr& file, ModelFile* directory, const std::string& shown);
  static Errc write(ModelFile* file, uint64_t offset, const std::string& bytes);
  static Errc truncate(ModelFile* file, uint64_t size);

 private:
  bool is_bucket(const ModelFile* directory) const { return directory->parent == &root; }
  Errc check_new(ModelFile* directory, const std::string& shown, bool is_directory,
                 std::string* name) const;
  static ModelFilePtr entry_of(ModelFile* directory, const std::string& name);
  static ModelFilePtr add(ModelFile* directory, const std::string& key, ModelFilePtr file);
  static void take(const ModelName& name, bool keep_directory);
  void vanish(ModelFile* directory);
  const ModelFile* bucket_of(const ModelFile* directory) const;
  bool is_object(const ModelFile* directory) const {
    return !directory->implicit && directory != &root && !is_bucket(directory);
  }
  std::optional<ModelName> locate(const std::string& bucket, const std::string& key);
  void collect(ModelFile* directory, const std::string& path,
               std::map<std::string, ModelFilePtr>* objects);
  static void change_content(ModelFile* file);
};

}  // namespace turbine::test
