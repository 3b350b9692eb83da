#include "s3/operation.hpp"

#include "s3/service.hpp"

namespace turbine::s3 {
namespace {

using enum Target;

// Sub-resources first: a row without `query` fits whatever parameters there are.
constexpr Operation kOperations[] = {
    {"ListBuckets", "GET", service, "", "", list_buckets, Subject::service, false},

    {"GetBucketLocation", "GET", bucket, "location", "", get_bucket_location, Subject::bucket},
    {"GetBucketVersioning", "GET", bucket, "versioning", "", get_bucket_versioning,
     Subject::bucket},
    {"GetBucketAcl", "GET", bucket, "acl", "", get_bucket_acl, Subject::bucket},
    {"ListMultipartUploads", "GET", bucket, "uploads", "", list_multipart_uploads, Subject::bucket},
    {"DeleteObjects", "POST", bucket, "delete", "", delete_objects, Subject::bucket},
    {"PutBucketAcl", "PUT", bucket, "acl", "", put_acl, Subject::bucket},

    {"GetObjectAcl", "GET", object, "acl", "", get_object_acl, Subject::object},
    {"PutObjectAcl", "PUT", object, "acl", "", put_acl, Subject::object},
    {"GetObjectTagging", "GET", object, "tagging", "", get_object_tagging, Subject::object},
    {"CreateMultipartUpload", "POST", object, "uploads", "", create_multipart_upload,
     Subject::object},
    {"UploadPartCopy", "PUT", object, "uploadId", "x-amz-copy-source", upload_part_copy,
     Subject::upload},
    {"UploadPart", "PUT", object, "uploadId", "", upload_part, Subject::upload},
    {"CompleteMultipartUpload", "POST", object, "uploadId", "", complete_multipart_upload,
     Subject::upload},
    {"AbortMultipartUpload", "DELETE", object, "uploadId", "", abort_multipart_upload,
     Subject::upload},
    {"ListParts", "GET", object, "uploadId", "", list_parts, Subject::upload},

// Named, so that a client is told what is missing.
#define NOT_YET(method, target, query, name) {name, method, target, query, "", nullptr, {}, false}
#define CONFIGURATION(query, name)                     \
  NOT_YET("GET", bucket, query, "GetBucket" name),     \
      NOT_YET("PUT", bucket, query, "PutBucket" name), \
      NOT_YET("DELETE", bucket, query, "DeleteBucket" name)
    CONFIGURATION("accelerate", "AccelerateConfiguration"),
    CONFIGURATION("analytics", "AnalyticsConfiguration"),
    CONFIGURATION("cors", "Cors"),
    CONFIGURATION("encryption", "Encryption"),
    CONFIGURATION("intelligent-tiering", "IntelligentTieringConfiguration"),
    CONFIGURATION("inventory", "InventoryConfiguration"),
    CONFIGURATION("lifecycle", "LifecycleConfiguration"),
    CONFIGURATION("logging", "Logging"),
    CONFIGURATION("metrics", "MetricsConfiguration"),
    CONFIGURATION("notification", "NotificationConfiguration"),
    CONFIGURATION("ownershipControls", "OwnershipControls"),
    CONFIGURATION("policy", "Policy"),
    CONFIGURATION("policyStatus", "PolicyStatus"),
    CONFIGURATION("publicAccessBlock", "PublicAccessBlock"),
    CONFIGURATION("replication", "Replication"),
    CONFIGURATION("requestPayment", "RequestPayment"),
    CONFIGURATION("tagging", "Tagging"),
    CONFIGURATION("website", "Website"),
    NOT_YET("PUT", bucket, "versioning", "PutBucketVersioning"),
    NOT_YET("GET", bucket, "versions", "ListObjectVersions"),
    NOT_YET("GET", bucket, "object-lock", "GetObjectLockConfiguration"),
    NOT_YET("PUT", bucket, "object-lock", "PutObjectLockConfiguration"),
    NOT_YET("GET", bucket, "session", "CreateSession"),
    NOT_YET("POST", bucket, "", "PostObject"),
    NOT_YET("PUT", object, "tagging", "PutObjectTagging"),
    NOT_YET("DELETE", object, "tagging", "DeleteObjectTagging"),
    NOT_YET("GET", object, "retention", "GetObjectRetention"),
    NOT_YET("PUT", object, "retention", "PutObjectRetention"),
    NOT_YET("GET", object, "legal-hold", "GetObjectLegalHold"),
    NOT_YET("PUT", object, "legal-hold", "PutObjectLegalHold"),
    NOT_YET("GET", object, "attributes", "GetObjectAttributes"),
    NOT_YET("GET", object, "torrent", "GetObjectTorrent"),
    NOT_YET("POST", object, "restore", "RestoreObject"),
    NOT_YET("POST", object, "select", "SelectObjectContent"),
    NOT_YET("PUT", object, "renameObject", "RenameObject"),
    NOT_YET("PUT", object, "append", "AppendObject"),
    NOT_YET("OPTIONS", bucket, "", "PreflightRequest"),
    NOT_YET("OPTIONS", object, "", "PreflightRequest"),
    NOT_YET("OPTIONS", service, "", "PreflightRequest"),
#undef CONFIGURATION
#undef NOT_YET

    {"ListObjectsV2", "GET", bucket, "list-type", "", list_objects_v2, Subject::bucket},
    {"ListObjects", "GET", bucket, "", "", list_objects, Subject::bucket},
    {"CreateBucket", "PUT", bucket, "", "", create_bucket, Subject::bucket, false},
    {"HeadBucket", "HEAD", bucket, "", "", head_bucket, Subject::bucket},
    {"DeleteBucket", "DELETE", bucket, "", "", delete_bucket, Subject::bucket},

    {"CopyObject", "PUT", object, "", "x-amz-copy-source", copy_object, Subject::object},
    {"PutObject", "PUT", object, "", "", put_object, Subject::object},
    {"GetObject", "GET", object, "", "", get_object, Subject::object},
    {"HeadObject", "HEAD", object, "", "", head_object, Subject::object},
    {"DeleteObject", "DELETE", object, "", "", delete_object, Subject::object},
};

}  // namespace

std::span<const Operation> operations() {
  return kOperations;
}

const Operation* find_operation(const RequestHead& head, const Uri& uri) {
  const Target target = uri.bucket.empty() ? service : uri.key.empty() ? bucket : object;
  if (target == service && !uri.key.empty()) return nullptr;  // "//key"
  for (const Operation& row : kOperations) {
    if (row.target == target && row.method == head.method() &&
        (row.query.empty() || uri.query.has(row.query)) &&
        (row.header.empty() || head.has(row.header))) {
      return &row;
    }
  }
  return nullptr;
}

S3Task<> send_xml(Request& request, std::string xml, int status) {
  ResponseHead head;
  head.status = status;
  add_common_fields(head, request.clock, request.request_id);
  head.add("Content-Type", "application/xml");
  CO_TRY(co_await request.response.send(std::move(head), std::move(xml)));
  co_return S3Result<>{};
}

S3Task<> send_head(Request& request, ResponseHead head) {
  add_common_fields(head, request.clock, request.request_id);
  CO_TRY(co_await request.response.send(std::move(head), {}));
  co_return S3Result<>{};
}

}  // namespace turbine::s3
