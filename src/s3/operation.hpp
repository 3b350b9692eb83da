// What an operation gets, and the table of all operations.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "fs/fs.hpp"
#include "s3/credentials.hpp"
#include "s3/http_exchange.hpp"
#include "s3/request_body.hpp"
#include "s3/s3_error.hpp"
#include "s3/uri.hpp"

namespace turbine::s3 {

/// An authenticated and authorised request. Lives until the operation has ended.
struct Request {
  const RequestHead& head;
  const Uri& uri;
  const std::string& bucket;
  const std::string& key;
  const Query& query;
  Principal principal;
  RequestBody& body;
  ResponseWriter& response;
  std::string request_id;
  Clock& clock;
};

/// What operations share.
struct Environment {
  fs::FileSystem& files;
  Clock& clock;
  std::string region;
  /// Whether `principal` may use `bucket`: its owner and root may. no_such_bucket, access_denied.
  virtual S3Task<> authorize(const Principal& principal, const std::string& bucket) = 0;
  /// The bucket was made or removed: forget who owned it.
  virtual void forget(const std::string& bucket) = 0;

  Environment(fs::FileSystem& f, Clock& c, std::string r)
      : files(f), clock(c), region(std::move(r)) {}
  virtual ~Environment() = default;

  fs::CallContext begin(const Request& request) const {
    return files.begin(request.principal.user);
  }
};

using Handler = S3Task<> (*)(Environment&, Request&);

enum class Target { service, bucket, object };

/// One row: which requests are this operation. Rows are tried in order; the first that fits wins.
struct Operation {
  std::string_view name;  // as the S3 API names it
  std::string_view method;
  Target target;
  std::string_view query;     // a parameter that must be there, or two "a&b"; empty: none
  std::string_view header;    // a header that must be there; empty: none
  Handler handler;            // null: 501 with the name
  Subject subject;            // what "not found" is about
  bool checks_bucket = true;  // whether the caller must own the bucket
};

std::span<const Operation> operations();
/// Null when no row fits (405).
const Operation* find_operation(const RequestHead& head, const Uri& uri);

/// Sends an XML document.
S3Task<> send_xml(Request& request, std::string xml, int status = 200);
/// Sends a head without body.
S3Task<> send_head(Request& request, ResponseHead head);

// One file each, named as the operation.
S3Task<> list_buckets(Environment&, Request&);
S3Task<> create_bucket(Environment&, Request&);
S3Task<> head_bucket(Environment&, Request&);
S3Task<> delete_bucket(Environment&, Request&);
S3Task<> get_bucket_location(Environment&, Request&);
S3Task<> get_bucket_versioning(Environment&, Request&);
S3Task<> get_bucket_acl(Environment&, Request&);
S3Task<> get_object_acl(Environment&, Request&);
S3Task<> put_acl(Environment&, Request&);
S3Task<> list_objects(Environment&, Request&);
S3Task<> list_objects_v2(Environment&, Request&);
S3Task<> put_object(Environment&, Request&);
S3Task<> get_object(Environment&, Request&);
S3Task<> head_object(Environment&, Request&);
S3Task<> delete_object(Environment&, Request&);
S3Task<> delete_objects(Environment&, Request&);
S3Task<> copy_object(Environment&, Request&);
S3Task<> create_multipart_upload(Environment&, Request&);
S3Task<> upload_part(Environment&, Request&);
S3Task<> upload_part_copy(Environment&, Request&);
S3Task<> complete_multipart_upload(Environment&, Request&);
S3Task<> abort_multipart_upload(Environment&, Request&);
S3Task<> list_parts(Environment&, Request&);
S3Task<> list_multipart_uploads(Environment&, Request&);
S3Task<> get_object_tagging(Environment&, Request&);

}  // namespace turbine::s3
