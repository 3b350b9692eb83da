// What CopyObject and UploadPartCopy share: the source they name, and moving its bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "s3/byte_range.hpp"
#include "s3/operation.hpp"

namespace turbine::s3 {

struct CopySource {
  std::string bucket, key;
  std::unique_ptr<fs::ObjectReader> reader;
};

/// Opens what x-amz-copy-source names, once the caller may read it and its conditions hold.
S3Task<CopySource> open_copy_source(Environment& env, const Request& request);

/// Moves bytes from reader to writer. Gives the MD5 in hex, empty unless `want_md5`.
S3Task<std::string> copy_bytes(fs::ObjectReader& reader, fs::ObjectWriter& writer, ByteRange range,
                               bool want_md5);

}  // namespace turbine::s3
