// Multipart uploads; they live in the partition of their bucket's directory.
#pragma once

#include <string>
#include <vector>

#include "fs/core.hpp"
#include "fs/fs.hpp"

namespace turbine::fs {

// As the functions of FileSystem with these names.
Task<UploadInfo> create_upload(CorePtr core, CallContext call, std::string bucket, std::string key,
                               NewObject attributes);
Task<ObjectInfo> complete_upload(CorePtr core, CallContext call, std::string bucket,
                                 std::string key, std::string upload, std::vector<PartInfo> parts,
                                 Conditions conditions, std::string etag);
Task<> abort_upload(CorePtr core, CallContext call, std::string bucket, std::string key,
                    std::string upload);
Task<std::vector<PartInfo>> list_parts(CorePtr core, std::string bucket, std::string key,
                                       std::string upload, uint32_t after, size_t count,
                                       bool* more);
Task<std::vector<UploadInfo>> list_uploads(CorePtr core, std::string bucket, std::string prefix,
                                           std::string key_after, std::string id_after,
                                           size_t count, bool* more);

}  // namespace turbine::fs
