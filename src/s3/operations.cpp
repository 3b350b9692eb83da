#include <algorithm>

#include "s3/operation.hpp"
#include "s3/service.hpp"

namespace turbine::s3 {
namespace {

using enum Target;

// Sub-resources first. docs/S3.md tells users the same; a test compares the two.
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
#define NOT_YET(name, method, target, query) {name, method, target, query, "", nullptr, {}, false}
    NOT_YET("GetBucketAbac", "GET", bucket, "abac"),
    NOT_YET("PutBucketAbac", "PUT", bucket, "abac"),
    NOT_YET("GetBucketAccelerateConfiguration", "GET", bucket, "accelerate"),
    NOT_YET("PutBucketAccelerateConfiguration", "PUT", bucket, "accelerate"),
    NOT_YET("GetBucketAnalyticsConfiguration", "GET", bucket, "analytics&id"),
    NOT_YET("ListBucketAnalyticsConfigurations", "GET", bucket, "analytics"),
    NOT_YET("PutBucketAnalyticsConfiguration", "PUT", bucket, "analytics"),
    NOT_YET("DeleteBucketAnalyticsConfiguration", "DELETE", bucket, "analytics"),
    NOT_YET("GetBucketCors", "GET", bucket, "cors"),
    NOT_YET("PutBucketCors", "PUT", bucket, "cors"),
    NOT_YET("DeleteBucketCors", "DELETE", bucket, "cors"),
    NOT_YET("GetBucketEncryption", "GET", bucket, "encryption"),
    NOT_YET("PutBucketEncryption", "PUT", bucket, "encryption"),
    NOT_YET("DeleteBucketEncryption", "DELETE", bucket, "encryption"),
    NOT_YET("GetBucketIntelligentTieringConfiguration", "GET", bucket, "intelligent-tiering&id"),
    NOT_YET("ListBucketIntelligentTieringConfigurations", "GET", bucket, "intelligent-tiering"),
    NOT_YET("PutBucketIntelligentTieringConfiguration", "PUT", bucket, "intelligent-tiering"),
    NOT_YET("DeleteBucketIntelligentTieringConfiguration", "DELETE", bucket, "intelligent-tiering"),
    NOT_YET("GetBucketInventoryConfiguration", "GET", bucket, "inventory&id"),
    NOT_YET("ListBucketInventoryConfigurations", "GET", bucket, "inventory"),
    NOT_YET("PutBucketInventoryConfiguration", "PUT", bucket, "inventory"),
    NOT_YET("DeleteBucketInventoryConfiguration", "DELETE", bucket, "inventory"),
    NOT_YET("GetBucketLifecycleConfiguration", "GET", bucket, "lifecycle"),
    NOT_YET("PutBucketLifecycleConfiguration", "PUT", bucket, "lifecycle"),
    NOT_YET("DeleteBucketLifecycle", "DELETE", bucket, "lifecycle"),
    NOT_YET("GetBucketLogging", "GET", bucket, "logging"),
    NOT_YET("PutBucketLogging", "PUT", bucket, "logging"),
    NOT_YET("CreateBucketMetadataConfiguration", "POST", bucket, "metadataConfiguration"),
    NOT_YET("GetBucketMetadataConfiguration", "GET", bucket, "metadataConfiguration"),
    NOT_YET("DeleteBucketMetadataConfiguration", "DELETE", bucket, "metadataConfiguration"),
    NOT_YET("UpdateBucketMetadataInventoryTableConfiguration", "PUT", bucket,
            "metadataInventoryTable"),
    NOT_YET("UpdateBucketMetadataJournalTableConfiguration", "PUT", bucket, "metadataJournalTable"),
    NOT_YET("CreateBucketMetadataTableConfiguration", "POST", bucket, "metadataTable"),
    NOT_YET("GetBucketMetadataTableConfiguration", "GET", bucket, "metadataTable"),
    NOT_YET("DeleteBucketMetadataTableConfiguration", "DELETE", bucket, "metadataTable"),
    NOT_YET("GetBucketMetricsConfiguration", "GET", bucket, "metrics&id"),
    NOT_YET("ListBucketMetricsConfigurations", "GET", bucket, "metrics"),
    NOT_YET("PutBucketMetricsConfiguration", "PUT", bucket, "metrics"),
    NOT_YET("DeleteBucketMetricsConfiguration", "DELETE", bucket, "metrics"),
    NOT_YET("GetBucketNotificationConfiguration", "GET", bucket, "notification"),
    NOT_YET("PutBucketNotificationConfiguration", "PUT", bucket, "notification"),
    NOT_YET("GetObjectLockConfiguration", "GET", bucket, "object-lock"),
    NOT_YET("PutObjectLockConfiguration", "PUT", bucket, "object-lock"),
    NOT_YET("GetBucketOwnershipControls", "GET", bucket, "ownershipControls"),
    NOT_YET("PutBucketOwnershipControls", "PUT", bucket, "ownershipControls"),
    NOT_YET("DeleteBucketOwnershipControls", "DELETE", bucket, "ownershipControls"),
    NOT_YET("GetBucketPolicy", "GET", bucket, "policy"),
    NOT_YET("PutBucketPolicy", "PUT", bucket, "policy"),
    NOT_YET("DeleteBucketPolicy", "DELETE", bucket, "policy"),
    NOT_YET("GetBucketPolicyStatus", "GET", bucket, "policyStatus"),
    NOT_YET("GetPublicAccessBlock", "GET", bucket, "publicAccessBlock"),
    NOT_YET("PutPublicAccessBlock", "PUT", bucket, "publicAccessBlock"),
    NOT_YET("DeletePublicAccessBlock", "DELETE", bucket, "publicAccessBlock"),
    NOT_YET("GetBucketReplication", "GET", bucket, "replication"),
    NOT_YET("PutBucketReplication", "PUT", bucket, "replication"),
    NOT_YET("DeleteBucketReplication", "DELETE", bucket, "replication"),
    NOT_YET("GetBucketRequestPayment", "GET", bucket, "requestPayment"),
    NOT_YET("PutBucketRequestPayment", "PUT", bucket, "requestPayment"),
    NOT_YET("CreateSession", "GET", bucket, "session"),
    NOT_YET("GetBucketTagging", "GET", bucket, "tagging"),
    NOT_YET("PutBucketTagging", "PUT", bucket, "tagging"),
    NOT_YET("DeleteBucketTagging", "DELETE", bucket, "tagging"),
    NOT_YET("PutBucketVersioning", "PUT", bucket, "versioning"),
    NOT_YET("ListObjectVersions", "GET", bucket, "versions"),
    NOT_YET("GetBucketWebsite", "GET", bucket, "website"),
    NOT_YET("PutBucketWebsite", "PUT", bucket, "website"),
    NOT_YET("DeleteBucketWebsite", "DELETE", bucket, "website"),

    NOT_YET("GetObjectAttributes", "GET", object, "attributes"),
    NOT_YET("UpdateObjectEncryption", "PUT", object, "encryption"),
    NOT_YET("GetObjectLegalHold", "GET", object, "legal-hold"),
    NOT_YET("PutObjectLegalHold", "PUT", object, "legal-hold"),
    NOT_YET("RenameObject", "PUT", object, "renameObject"),
    NOT_YET("RestoreObject", "POST", object, "restore"),
    NOT_YET("GetObjectRetention", "GET", object, "retention"),
    NOT_YET("PutObjectRetention", "PUT", object, "retention"),
    NOT_YET("SelectObjectContent", "POST", object, "select"),
    NOT_YET("PutObjectTagging", "PUT", object, "tagging"),
    NOT_YET("DeleteObjectTagging", "DELETE", object, "tagging"),
    NOT_YET("GetObjectTorrent", "GET", object, "torrent"),
#undef NOT_YET

    {"ListObjectsV2", "GET", bucket, "list-type", "", list_objects_v2, Subject::bucket},
    {"ListObjects", "GET", bucket, "", "", list_objects, Subject::bucket},
    {"PostObject", "POST", bucket, "", "", nullptr, {}, false},
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

namespace {

/// Whether the request has the row's parameters: one name, or two joined by '&'.
bool has_parameters(const Query& query, std::string_view names) {
  const size_t both = names.find('&');
  return query.has(names.substr(0, both)) &&
         (both == std::string_view::npos || query.has(names.substr(both + 1)));
}

/// Whether a parameter names a sub-resource: then no row without parameters fits. S3 knows no
/// `DELETE /bucket?logging`, and it must not delete the bucket.
bool names_subresource(const Query& query, Target target) {
  return std::ranges::any_of(query.items(), [target](const Query::Item& item) {
    return std::ranges::any_of(kOperations, [&](const Operation& row) {
      return row.target == target && !row.query.empty() &&
             row.query.substr(0, row.query.find('&')) == item.first;
    });
  });
}

}  // namespace

const Operation* find_operation(const RequestHead& head, const Uri& uri) {
  const Target target = uri.bucket.empty() ? service : uri.key.empty() ? bucket : object;
  if (target == service && !uri.key.empty()) return nullptr;  // "//key"
  const bool plain = !names_subresource(uri.query, target);
  for (const Operation& row : kOperations) {
    if (row.target == target && row.method == head.method() &&
        (row.query.empty() ? plain : has_parameters(uri.query, row.query)) &&
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
