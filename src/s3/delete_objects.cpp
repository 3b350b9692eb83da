#include "base/async.hpp"
#include "s3/operation.hpp"
#include "s3/xml_reader.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

constexpr size_t kInParallel = 16;

Task<bool> remove_one(Environment& env, const Request& request, DeleteRequest::Item item) {
  if (item.key.size() > kKeyBytesMax) co_return fail(Errc::name_too_long, "key too long");
  if (item.versioned) co_return fail(Errc::unsupported, "Versions are not implemented.");
  fs::Conditions conditions;
  conditions.if_match = item.etag;
  co_return co_await env.files.remove(env.begin(request), request.bucket, item.key, conditions);
}

}  // namespace

S3Task<> delete_objects(Environment& env, Request& request) {
  const std::string text = CO_TRY(co_await request.body.read_all(kXmlBytesMax));
  const DeleteRequest wanted = CO_TRY(parse_delete(text));
  CO_TRY(co_await env.files.bucket(env.begin(request), request.bucket));
  XmlWriter xml("DeleteResult");
  for (size_t first = 0; first < wanted.items.size(); first += kInParallel) {
    const size_t count = std::min(kInParallel, wanted.items.size() - first);
    std::vector<Task<bool>> tasks;
    for (size_t i = 0; i < count; ++i) {
      tasks.push_back(remove_one(env, request, wanted.items[first + i]));
    }
    const auto results = co_await when_all(std::move(tasks));
    for (size_t i = 0; i < count; ++i) {
      const std::string& key = wanted.items[first + i].key;
      if (results[i].ok()) {
        if (wanted.quiet) continue;
        xml.open("Deleted");
        xml.element("Key", key);
      } else {
        const S3Error error = to_s3_error(results[i].error(), Subject::object);
        xml.open("Error");
        xml.element("Key", key);
        xml.element("Code", s3_code_name(error.code));
        xml.element("Message", error.message);
      }
      xml.close();
    }
  }
  co_return co_await send_xml(request, xml.take());
}

}  // namespace turbine::s3
