// The procedures of NFS version 3, one source each, named as RFC 1813 names them.
#pragma once

#include "nfs/nfs3_args.hpp"
#include "nfs/nfs3_results.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

NfsTask<VoidResult> nfs3_null(Request request, VoidArgs args);
NfsTask<GetattrResult> nfs3_getattr(Request request, GetattrArgs args);
NfsTask<WccResult> nfs3_setattr(Request request, SetattrArgs args);
NfsTask<LookupResult> nfs3_lookup(Request request, LookupArgs args);
NfsTask<AccessResult> nfs3_access(Request request, AccessArgs args);
NfsTask<ReadlinkResult> nfs3_readlink(Request request, ReadlinkArgs args);
NfsTask<ReadResult> nfs3_read(Request request, ReadArgs args);
NfsTask<WriteResult> nfs3_write(Request request, WriteArgs args);
NfsTask<CreateResult> nfs3_create(Request request, CreateArgs args);
NfsTask<CreateResult> nfs3_mkdir(Request request, MkdirArgs args);
NfsTask<CreateResult> nfs3_symlink(Request request, SymlinkArgs args);
NfsTask<CreateResult> nfs3_mknod(Request request, MknodArgs args);
NfsTask<WccResult> nfs3_remove(Request request, RemoveArgs args);
NfsTask<WccResult> nfs3_rmdir(Request request, RmdirArgs args);
NfsTask<RenameResult> nfs3_rename(Request request, RenameArgs args);
NfsTask<LinkResult> nfs3_link(Request request, LinkArgs args);
NfsTask<ReaddirResult> nfs3_readdir(Request request, ReaddirArgs args);
NfsTask<ReaddirplusResult> nfs3_readdirplus(Request request, ReaddirplusArgs args);
NfsTask<FsstatResult> nfs3_fsstat(Request request, FsstatArgs args);
NfsTask<FsinfoResult> nfs3_fsinfo(Request request, FsinfoArgs args);
NfsTask<PathconfResult> nfs3_pathconf(Request request, PathconfArgs args);
NfsTask<CommitResult> nfs3_commit(Request request, CommitArgs args);

/// Where a WRITE's data begins in a record of which `prefix` is the start (PayloadFinder).
std::optional<size_t> find_write_payload(ByteView prefix);

/// What CREATE, MKDIR, SYMLINK and MKNOD answer.
CreateResult created(const Request& request, const Request::Opened& directory,
                     const fs::MadeFile& made);
/// checked_name() of something that is to be made: exist for "." and "..".
NfsResult<std::string> new_name(std::string_view name);

}  // namespace turbine::nfs
