#include "client/convert.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace turbine::client {

namespace {

constexpr std::string_view kMetaPrefix = "x-amz-meta-";
constexpr size_t kMetadataBytesMax = 2048;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool holds_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

ErrorCode to_client_code(Errc code) {
  switch (code) {
    case Errc::not_found:
      return ErrorCode::not_found;
    case Errc::exists:
      return ErrorCode::exists;
    case Errc::not_empty:
      return ErrorCode::not_empty;
    case Errc::not_directory:
    case Errc::is_directory:
    case Errc::invalid:
    case Errc::name_too_long:
    case Errc::too_large:
    case Errc::unsupported:
    case Errc::out_of_range:
    case Errc::cross_device:
    case Errc::too_many_links:
      return ErrorCode::invalid;
    case Errc::denied:
    case Errc::not_permitted:
      return ErrorCode::denied;
    case Errc::conflict:
      return ErrorCode::conflict;
    case Errc::precondition_failed:
      return ErrorCode::precondition_failed;
    case Errc::no_space:
    case Errc::quota_exceeded:
      return ErrorCode::no_space;
    case Errc::corrupt:
      return ErrorCode::corrupt;
    case Errc::unavailable:
    case Errc::wrong_primary:
    case Errc::stale_epoch:
    case Errc::stale:
    case Errc::busy:
    case Errc::closed:
      return ErrorCode::unavailable;
    case Errc::timeout:
      return ErrorCode::unknown_outcome;
    case Errc::io:
    case Errc::ok:  // no error has it
      return ErrorCode::failed;
  }
  return ErrorCode::failed;
}

}  // namespace

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::exists:
      return "exists";
    case ErrorCode::not_empty:
      return "not_empty";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::precondition_failed:
      return "precondition_failed";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::unknown_outcome:
      return "unknown_outcome";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::failed:
      return "failed";
  }
  return "unknown";
}

Error to_client_error(const turbine::Error& error) {
  return {to_client_code(error.code), error.context};
}

std::chrono::system_clock::time_point to_time(int64_t unix_ns) {
  return std::chrono::system_clock::time_point(std::chrono::nanoseconds(unix_ns));
}

ObjectInfo to_client_info(const fs::ObjectInfo& info) {
  ObjectInfo out;
  out.key = info.key;
  out.size = info.size;
  out.modified = to_time(info.modified_ns);
  out.etag = info.etag;
  out.content_type = info.content_type;
  for (const auto& [name, value] : info.metadata) {
    if (name.starts_with(kMetaPrefix)) {
      out.metadata.emplace_back(name.substr(kMetaPrefix.size()), value);
    }
  }
  return out;
}

turbine::Result<fs::NewObject> to_attributes(const PutOptions& options) {
  fs::NewObject out;
  if (holds_control(options.content_type)) {
    return fail(Errc::invalid, "the content type holds a control character");
  }
  out.content_type = options.content_type;
  size_t bytes = 0;
  for (const auto& [name, value] : options.metadata) {
    if (name.empty() || !std::ranges::all_of(name, is_name_character)) {
      return fail(Errc::invalid, "metadata name '{}': of a-z, 0-9, '-', '_' and '.'", name);
    }
    if (holds_control(value)) {
      return fail(Errc::invalid, "metadata {} holds a control character", name);
    }
    std::string whole = std::string(kMetaPrefix) + name;
    if (std::ranges::find(out.metadata, whole, &fs::Attributes::value_type::first) !=
        out.metadata.end()) {
      return fail(Errc::invalid, "metadata {} is given twice", name);
    }
    bytes += name.size() + value.size();
    out.metadata.emplace_back(std::move(whole), value);
  }
  if (bytes > kMetadataBytesMax) {
    return fail(Errc::invalid, "{} bytes of metadata; {} are allowed", bytes, kMetadataBytesMax);
  }
  return out;
}

turbine::Result<> check_key(const std::string& key) {
  if (!is_valid_utf8(key)) return fail(Errc::invalid, "the key is not UTF-8");
  return {};
}

}  // namespace turbine::client
