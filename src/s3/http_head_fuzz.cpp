// Bytes of a hostile client as head, target, chunked body and field values: no crash, no reading
// that depends on where the pieces end, nothing that another parser could take for two requests.
#include "base/check.hpp"
#include "base/utf8.hpp"
#include "s3/byte_range.hpp"
#include "s3/conditions.hpp"
#include "s3/http_chunked.hpp"
#include "s3/http_head.hpp"
#include "s3/object_fields.hpp"
#include "s3/text.hpp"
#include "s3/uri.hpp"

namespace turbine::s3 {
namespace {

void check_target(std::string_view target) {
  const auto uri = Uri::parse(target);
  if (!uri.ok()) return;
  CHECK(uri->path.starts_with('/') && is_valid_utf8(uri->path));
  CHECK(uri->bucket.find('/') == std::string::npos);
  // The spelling of the same bytes leads to the same place.
  const auto again = Uri::parse(percent_encoded(uri->path, true));
  CHECK(again.ok() && again->bucket == uri->bucket && again->key == uri->key);
}

void check_head(std::string_view bytes) {
  const size_t end = find_head_end(bytes);
  const auto head = RequestHead::parse(bytes.substr(0, std::min(end, bytes.size())));
  if (!head.ok()) return;
  CHECK(end == bytes.substr(0, end).size());
  CHECK(!(head->chunked() && head->content_length().has_value()));
  CHECK(head->count("content-length") + head->count("transfer-encoding") <= 1);
  CHECK(is_token(head->method()) && !head->target().empty());
  for (const auto& [name, value] : head->fields()) {
    CHECK(is_token(name) && lower_case(name) == name);
    CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
  check_target(head->target());
  const auto range = parse_range(head->get("range"), 1000);
  if (range.has_value() && range->has_value()) {
    CHECK((*range)->length > 0 && (*range)->offset + (*range)->length <= 1000);
  }
  std::ignore = read_conditions(*head, "");
  std::ignore = write_conditions(*head);
  std::ignore = attributes_of(*head);
}

/// "payload taken done" or "bad".
std::string decoded(std::string_view body, size_t piece) {
  HttpChunkedDecoder decoder;
  std::string payload;
  size_t taken = 0;
  for (size_t at = 0; at < body.size() && !decoder.done(); at += piece) {
    std::vector<Buffer> out;
    const auto fed = decoder.feed(Buffer::copy_of(body.substr(at, piece)), out);
    if (!fed.ok()) return "bad";
    taken += *fed;
    for (const Buffer& buffer : out) payload += buffer.text();
  }
  return fmt::format("{} {} {}", payload, taken, decoder.done());
}

}  // namespace
}  // namespace turbine::s3

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine::s3;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_head(bytes);
  check_target(bytes.substr(0, bytes.find('\n')));
  CHECK(decoded(bytes, bytes.size() + 1) == decoded(bytes, data[0] % 16 + 1U));
  return 0;
}
