// XML bodies: no crash, no key that is not UTF-8 or ends early; what is written is read back.
#include "base/check.hpp"
#include "base/utf8.hpp"
#include "s3/xml_reader.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

void check_keys(const DeleteRequest& request) {
  XmlWriter xml("Delete");
  for (const auto& item : request.items) {
    CHECK(is_valid_utf8(item.key) && item.key.find('\0') == std::string::npos);
    xml.open("Object");
    xml.element("Key", item.key);
    xml.close();
  }
  const auto again = parse_delete(xml.take());
  CHECK(again.has_value() && again->items.size() == request.items.size());
  for (size_t i = 0; i < request.items.size(); ++i) {
    CHECK(again->items[i].key == request.items[i].key);
  }
}

}  // namespace
}  // namespace turbine::s3

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine;
  using namespace turbine::s3;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto request = parse_delete(bytes)) check_keys(*request);
  if (const auto parts = parse_complete_upload(bytes)) {
    CHECK(!parts->empty() && parts->size() <= 10'000);
    for (const auto& part : *parts) CHECK(part.number >= 1 && part.number <= 10'000);
  }
  std::ignore = parse_create_bucket(bytes);
  XmlWriter xml("Any");
  xml.element("Text", bytes);
  CHECK(is_valid_utf8(xml.take()));
  // The bytes as a key.
  std::string key(bytes);
  std::erase(key, '\0');
  if (!key.empty() && is_valid_utf8(key)) {
    DeleteRequest request;
    request.items.push_back({key, "", false});
    check_keys(request);
  }
  return 0;
}
