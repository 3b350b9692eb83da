// GetBucketAcl, GetObjectAcl, PutBucketAcl, PutObjectAcl: everything is private to its owner.
#include "s3/object_fields.hpp"
#include "s3/operation.hpp"
#include "s3/xml_reader.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

std::string private_acl(uint64_t owner, std::string_view name) {
  XmlWriter xml("AccessControlPolicy");
  xml.open("Owner");
  xml.element("ID", owner);
  xml.element("DisplayName", name);
  xml.close();
  xml.open("AccessControlList");
  xml.open("Grant");
  xml.open_with_attributes("Grantee",
                           "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                           "xsi:type=\"CanonicalUser\"");
  xml.element("ID", owner);
  xml.element("DisplayName", name);
  xml.close();
  xml.element("Permission", "FULL_CONTROL");
  return xml.take();
}

}  // namespace

S3Task<> get_bucket_acl(Environment& env, Request& request) {
  const auto info = CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  const bool own = info.owner_user == request.principal.user;
  co_return co_await send_xml(
      request, private_acl(info.owner_user,
                           own ? request.principal.user_name : std::to_string(info.owner_user)));
}

S3Task<> get_object_acl(Environment& env, Request& request) {
  CO_TRY(co_await env.files.head(env.begin(request), request.bucket, request.key));
  co_return co_await get_bucket_acl(env, request);
}

/// Accepts the ACL that everything has, `private`, and no other.
S3Task<> put_acl(Environment& env, Request& request) {
  CO_TRY(refuse_unsupported_fields(request.head));
  const std::string xml = CO_TRY(co_await request.body.read_all(kXmlBytesMax));
  if (!request.head.has("x-amz-acl") || !xml.empty()) {
    co_return s3_fail(S3Code::not_implemented, "Only the canned ACL private is implemented.");
  }
  if (request.key.empty()) {
    CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  } else {
    CO_TRY(co_await env.files.head(env.begin(request), request.bucket, request.key));
  }
  co_return co_await send_head(request, {});
}

}  // namespace turbine::s3
