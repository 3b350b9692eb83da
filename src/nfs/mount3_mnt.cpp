#include "nfs/mount3.hpp"

#include <algorithm>

namespace turbine::nfs {
namespace {

/// The components of `path`. inval: "..", NUL; nametoolong.
NfsResult<std::vector<std::string>> split_path(std::string_view path) {
  if (path.size() > kPathBytesMax) return nfs_fail(Nfsstat3::nametoolong);
  if (!path.starts_with('/')) return nfs_fail(Nfsstat3::inval);
  std::vector<std::string> names;
  for (size_t at = 1; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || is_dot(name)) continue;
    if (is_dot_or_dotdot(name)) return nfs_fail(Nfsstat3::inval);
    names.push_back(TRY(checked_name(name)));
  }
  return names;
}

/// The export that holds a path, and the names below it that are left.
struct Place {
  InodeId root;
  std::vector<std::string> names;
  bool below_all = false;  // in no export but "/"
};

/// Whole components, the longest export first. noent.
NfsTask<Place> find_place(Exports& exports, std::vector<std::string> names) {
  std::vector<std::string> candidates{"/"};
  std::string path;
  for (const std::string& name : names) candidates.push_back(path += "/" + name);
  for (size_t depth = candidates.size(); depth-- > 0;) {
    const auto root = CO_TRY(co_await exports.find(candidates[depth]));
    if (!root) continue;
    Place place;
    place.root = *root;
    place.below_all = depth == 0 && !names.empty();
    names.erase(names.begin(), names.begin() + static_cast<ptrdiff_t>(depth));
    place.names = std::move(names);
    co_return place;
  }
  co_return nfs_fail(Nfsstat3::noent);
}

NfsTask<NfsFh3> mount(Request request, std::string_view path) {
  std::vector<std::string> names = CO_TRY(split_path(path));
  const Place place = CO_TRY(co_await find_place(request.env.exports, std::move(names)));
  Client& client = *request.call.client;
  const auto access = CO_TRY(co_await client.access(request.env.exports, place.root));
  // To who may not mount "/" a path in no other export does not exist: a bucket's name was
  // misspelt.
  if (!access && place.below_all) co_return nfs_fail(Nfsstat3::noent);
  if (!access || !client.may_use(*access)) co_return nfs_fail(Nfsstat3::acces);
  InodeId inode = place.root;
  for (const std::string& name : place.names) {
    const fs::FoundFile found =
        CO_TRY(co_await request.env.files.lookup(request.who(*access), inode, name));
    inode = found.file.id;
  }
  const fs::FileStat stat = CO_TRY(co_await request.env.files.stat(inode));
  if (stat.type != fs::FileType::directory) co_return nfs_fail(Nfsstat3::notdir);
  co_return request.env.handles.encode({place.root, inode});
}

}  // namespace

Mountstat3 to_mountstat3(Nfsstat3 status) {
  switch (status) {
    case Nfsstat3::ok:
    case Nfsstat3::perm:
    case Nfsstat3::noent:
    case Nfsstat3::io:
    case Nfsstat3::acces:
    case Nfsstat3::notdir:
    case Nfsstat3::inval:
    case Nfsstat3::nametoolong:
    case Nfsstat3::notsupp:
      return static_cast<Mountstat3>(status);
    case Nfsstat3::stale:
      return Mountstat3::noent;
    default:
      return Mountstat3::serverfault;
  }
}

/// A path below an export may be mounted; it is looked up name by name, with the client's rights.
NfsTask<MntResult> mount3_mnt(Request request, MountPathArgs args) {
  MntResult result;
  const auto handle = co_await mount(request, args.path);
  if (!handle.has_value()) {
    result.status = to_mountstat3(handle.error().status);
    co_return result;
  }
  result.handle = *handle;
  result.auth_flavors = {kAuthSys};
  co_return result;
}

}  // namespace turbine::nfs
