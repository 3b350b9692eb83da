#include "nfs/mount3.hpp"

#include <algorithm>

namespace turbine::nfs {
namespace {

/// The export that holds `path`, and the names below it that are left.
struct Place {
  InodeId root;
  std::vector<std::string> names;
};

/// Whole components, the longest export first. noent; inval: "..", NUL; nametoolong.
NfsResult<Place> find_place(const Exports& exports, std::string_view path) {
  if (path.size() > kPathBytesMax) return nfs_fail(Nfsstat3::nametoolong);
  if (!path.starts_with('/')) return nfs_fail(Nfsstat3::inval);
  Place place;
  std::vector<size_t> ends{0};  // of the components, in `clean`
  std::string clean;
  for (size_t at = 1; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || is_dot(name)) continue;
    if (is_dot_or_dotdot(name)) return nfs_fail(Nfsstat3::inval);
    place.names.push_back(TRY(checked_name(name)));
    clean += '/';
    clean += name;
    ends.push_back(clean.size());
  }
  for (size_t depth = ends.size(); depth-- > 0;) {
    const std::string_view candidate = std::string_view(clean).substr(0, ends[depth]);
    const auto root = exports.find(candidate.empty() ? "/" : candidate);
    if (!root) continue;
    place.root = *root;
    place.names.erase(place.names.begin(), place.names.begin() + static_cast<ptrdiff_t>(depth));
    return place;
  }
  return nfs_fail(Nfsstat3::noent);
}

NfsTask<NfsFh3> mount(Request request, std::string_view path) {
  const Place place = CO_TRY(find_place(request.env.exports, path));
  const auto access = request.call.client->access(request.env.exports, place.root);
  if (!access || !request.call.client->may_use(*access)) co_return nfs_fail(Nfsstat3::acces);
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
