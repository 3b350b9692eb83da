#include "nfs_tree.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace turbine::bench {
namespace {

/// Random bytes that begin all data: the same in every run.
const std::vector<char>& pool() {
  static const std::vector<char> bytes = [] {
    std::vector<char> made(kTransferBytes);
    std::minstd_rand random(1);
    for (char& each : made) each = static_cast<char>(random() >> 8);
    return made;
  }();
  return bytes;
}

Result<> expect_ok(nfsstat3 status) {
  if (status == NFS3_OK) return {};
  return fail(status == NFS3ERR_NOENT ? Errc::not_found : Errc::io, "{}", status_name(status));
}

}  // namespace

std::vector<char> data_at(uint64_t offset, uint64_t bytes) {
  std::vector<char> data(pool().begin(), pool().begin() + static_cast<ptrdiff_t>(bytes));
  for (uint64_t at = 0; at + sizeof offset <= bytes; at += kBlockBytes) {
    const uint64_t mark = offset + at;
    std::memcpy(data.data() + at, &mark, sizeof mark);
  }
  return data;
}

bool right_data(uint64_t offset, const char* data, uint64_t bytes) {
  for (uint64_t at = 0; at + sizeof offset <= bytes; at += kBlockBytes) {
    uint64_t mark = 0;
    std::memcpy(&mark, data + at, sizeof mark);
    if (mark != offset + at) return false;
  }
  return true;
}

Result<NfsTree> NfsTree::open(const NfsTarget& target) {
  NfsTree tree;
  const uint16_t mount_port = target.mount_port ? target.mount_port : target.port;
  auto mount = TRY(NfsConnection::open(target, mount_port));
  std::string path = target.export_path;
  TRY(mount->call(
      fmt::format("MNT {}", path),
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        return rpc_mount3_mnt_async(rpc, callback, path.data(), context);
      },
      [&](void* answer) -> Result<> {
        const auto& result = *static_cast<mountres3*>(answer);
        if (result.fhs_status != MNT3_OK)
          return fail(Errc::denied, "{}", mountstat3_to_str(result.fhs_status));
        const auto& fh = result.mountres3_u.mountinfo.fhandle;
        tree.root_.assign(fh.fhandle3_val, fh.fhandle3_val + fh.fhandle3_len);
        return {};
      }));
  tree.connection_ = TRY(NfsConnection::open(target, target.port));
  return tree;
}

Result<NfsHandle> NfsTree::look_up(const NfsHandle& directory, const std::string& name) {
  NfsHandle found;
  TRY(connection_->call(
      fmt::format("LOOKUP {}", name),
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        LOOKUP3args args{where_of(directory, name)};
        return rpc_nfs3_lookup_async(rpc, callback, &args, context);
      },
      [&](void* answer) -> Result<> {
        const auto& result = *static_cast<LOOKUP3res*>(answer);
        TRY(expect_ok(result.status));
        found = handle_of(result.LOOKUP3res_u.resok.object);
        return {};
      }));
  return found;
}

Result<NfsHandle> NfsTree::make_directory(const NfsHandle& directory, const std::string& name) {
  TRY(connection_->call(
      fmt::format("MKDIR {}", name),
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        MKDIR3args args{};
        args.where = where_of(directory, name);
        args.attributes.mode.set_it = 1;
        args.attributes.mode.set_mode3_u.mode = 0755;
        return rpc_nfs3_mkdir_async(rpc, callback, &args, context);
      },
      [&](void* answer) -> Result<> {
        const nfsstat3 status = static_cast<MKDIR3res*>(answer)->status;
        return status == NFS3ERR_EXIST ? Result<>() : expect_ok(status);
      }));
  return look_up(directory, name);
}

Result<NfsHandle> NfsTree::make_file(const NfsHandle& directory, const std::string& name) {
  TRY(connection_->call(
      fmt::format("CREATE {}", name),
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        CREATE3args args{};
        args.where = where_of(directory, name);
        args.how.mode = UNCHECKED;
        args.how.createhow3_u.obj_attributes.mode.set_it = 1;
        args.how.createhow3_u.obj_attributes.mode.set_mode3_u.mode = 0644;
        return rpc_nfs3_create_async(rpc, callback, &args, context);
      },
      [&](void* answer) { return expect_ok(static_cast<CREATE3res*>(answer)->status); }));
  return look_up(directory, name);
}

Result<uint64_t> NfsTree::size_of(const NfsHandle& file) {
  uint64_t bytes = 0;
  TRY(connection_->call(
      "GETATTR",
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        GETATTR3args args{fh_of(file)};
        return rpc_nfs3_getattr_async(rpc, callback, &args, context);
      },
      [&](void* answer) -> Result<> {
        const auto& result = *static_cast<GETATTR3res*>(answer);
        TRY(expect_ok(result.status));
        bytes = result.GETATTR3res_u.resok.obj_attributes.size;
        return {};
      }));
  return bytes;
}

Result<> NfsTree::write(const NfsHandle& file, uint64_t offset, uint64_t bytes) {
  std::vector<char> data = data_at(offset, bytes);
  return connection_->call(
      "WRITE",
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        WRITE3args args{};
        args.file = fh_of(file);
        args.offset = offset;
        args.count = args.data.data_len = static_cast<u_int>(bytes);
        args.data.data_val = data.data();
        args.stable = FILE_SYNC;
        return rpc_nfs3_write_async(rpc, callback, &args, context);
      },
      [&](void* answer) -> Result<> {
        const auto& result = *static_cast<WRITE3res*>(answer);
        TRY(expect_ok(result.status));
        if (result.WRITE3res_u.resok.count != bytes)
          return fail(Errc::io, "{} of {} bytes", result.WRITE3res_u.resok.count, bytes);
        return {};
      });
}

Result<NfsHandle> NfsTree::make_data_file(const NfsHandle& directory, const std::string& name,
                                          uint64_t bytes) {
  NfsHandle file = TRY(make_file(directory, name));
  if (TRY(size_of(file)) == bytes) return file;
  for (uint64_t at = 0; at < bytes; at += kTransferBytes)
    TRY(write(file, at, std::min(kTransferBytes, bytes - at)));
  return file;
}

Result<> NfsTree::remove_file(const NfsHandle& directory, const std::string& name) {
  return connection_->call(
      fmt::format("REMOVE {}", name),
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        REMOVE3args args{where_of(directory, name)};
        return rpc_nfs3_remove_async(rpc, callback, &args, context);
      },
      [&](void* answer) { return expect_ok(static_cast<REMOVE3res*>(answer)->status); });
}

Result<> NfsTree::remove_directory(const NfsHandle& directory, const std::string& name) {
  return connection_->call(
      fmt::format("RMDIR {}", name),
      [&](rpc_context* rpc, rpc_cb callback, void* context) {
        RMDIR3args args{where_of(directory, name)};
        return rpc_nfs3_rmdir_async(rpc, callback, &args, context);
      },
      [&](void* answer) { return expect_ok(static_cast<RMDIR3res*>(answer)->status); });
}

}  // namespace turbine::bench
