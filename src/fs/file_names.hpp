// Names of files: looking up, making, renaming and removing them.
#pragma once

#include "fs/core.hpp"
#include "fs/files.hpp"

namespace turbine::fs {

Task<proto::Inode> fetch_inode(CorePtr core, InodeId file);
Task<FoundFile> lookup_file(CorePtr core, Credentials who, InodeId directory, std::string name);
Task<MadeFile> create_file(CorePtr core, CallContext call, Credentials who, NewFileRequest request,
                           FileType type);
Task<MadeFile> make_directory(CorePtr core, CallContext call, Credentials who,
                              NewFileRequest request);
Task<FileChange> remove_file(CorePtr core, CallContext call, Credentials who, InodeId directory,
                             std::string name);
Task<FileChange> remove_directory(CorePtr core, CallContext call, Credentials who,
                                  InodeId directory, std::string name);
Task<Files::Renamed> rename_file(CorePtr core, CallContext call, Credentials who, InodeId from,
                                 std::string from_name, InodeId to, std::string to_name);
Task<Files::Linked> link_file(CorePtr core, CallContext call, Credentials who, InodeId file,
                              InodeId directory, std::string name);
Task<DirectoryPage> list_files(CorePtr core, Credentials who, DirectoryPageRequest request);
Task<FileChange> set_file_stat(CorePtr core, CallContext call, Credentials who, InodeId file,
                               NewStat stat, std::optional<int64_t> guard);

}  // namespace turbine::fs
