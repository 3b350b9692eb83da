#include <algorithm>

#include "s3/multipart.hpp"
#include "s3/object_fields.hpp"
#include "s3/service.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {

S3Task<> create_multipart_upload(Environment& env, Request& request) {
  const std::string_view algorithm = request.head.get("x-amz-checksum-algorithm");
  if (!algorithm.empty() && std::ranges::find(checksum_names(), algorithm, &ChecksumName::name) ==
                                checksum_names().end()) {
    co_return s3_fail(S3Code::invalid_request,
                      "Checksum algorithm provided is unsupported. Please try again with any of "
                      "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
  }
  fs::NewObject attributes = CO_TRY(attributes_of(request.head));
  const auto upload = CO_TRY(co_await env.files.create_upload(env.begin(request), request.bucket,
                                                              request.key, std::move(attributes)));
  XmlWriter xml("InitiateMultipartUploadResult");
  xml.element("Bucket", request.bucket);
  xml.element("Key", request.key);
  xml.element("UploadId", upload.id);
  ResponseHead head;
  add_common_fields(head, request.clock, request.request_id);
  head.add("Content-Type", "application/xml");
  if (!algorithm.empty()) {
    const std::string_view usual = algorithm == "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
    const std::string_view type = request.head.get("x-amz-checksum-type");
    head.add("x-amz-checksum-algorithm", algorithm);
    head.add("x-amz-checksum-type", type.empty() ? usual : type);
  }
  CO_TRY(co_await request.response.send(std::move(head), xml.take()));
  co_return S3Result<>{};
}

}  // namespace turbine::s3
