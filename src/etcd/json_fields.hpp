// Fields of etcd's JSON: keys and values in base64, 64-bit numbers as text, zeroes left out.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace turbine::etcd {

namespace json = boost::json;

std::string to_base64(std::string_view bytes);
/// Errc::corrupt.
Result<std::string> from_base64(std::string_view text);

/// Errc::corrupt when `text` is no JSON object. `what` names it in the message.
Result<json::object> parse_object(std::string_view text, std::string_view what);

/// Null when absent or of another kind.
const json::object* object_field(const json::object& object, std::string_view name);
const json::array* array_field(const json::object& object, std::string_view name);
/// Empty when absent.
std::string text_field(const json::object& object, std::string_view name);
bool flag_field(const json::object& object, std::string_view name);
/// 0 when absent. Negative ones (no revision or TTL is) count as 0.
uint64_t number_field(const json::object& object, std::string_view name);
/// Lease ids use all bits: kept as etcd writes them.
std::string id_field(const json::object& object, std::string_view name);
/// header.revision of an answer: of the whole store, when it was given.
uint64_t header_revision(const json::object& answer);

/// The first key behind all that begin with `prefix`: etcd's range_end.
std::string prefix_end(std::string prefix);

}  // namespace turbine::etcd
