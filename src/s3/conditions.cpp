#include "s3/conditions.hpp"

#include "s3/text.hpp"
#include "s3/xml_reader.hpp"

namespace turbine::s3 {
namespace {

/// Whether the comma-separated list holds the etag, quoted or not, strong or weak.
bool list_matches(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view item = trim(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (item == "*") return true;
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (unquote_etag(item) == etag) return true;
  }
  return false;
}

}  // namespace

ReadConditions read_conditions(const RequestHead& head, std::string_view prefix) {
  auto field = [&](std::string_view name) { return head.get(std::string(prefix).append(name)); };
  ReadConditions result;
  result.if_match = field("if-match");
  result.if_none_match = field("if-none-match");
  result.if_modified_since_s = parse_http_date(field("if-modified-since"));
  result.if_unmodified_since_s = parse_http_date(field("if-unmodified-since"));
  return result;
}

ConditionOutcome evaluate(const ReadConditions& conditions, const fs::ObjectInfo& info) {
  const int64_t modified_s = info.modified_ns / 1'000'000'000;
  if (!conditions.if_match.empty()) {
    if (!list_matches(conditions.if_match, info.etag)) return ConditionOutcome::failed;
  } else if (conditions.if_unmodified_since_s && modified_s > *conditions.if_unmodified_since_s) {
    return ConditionOutcome::failed;
  }
  if (!conditions.if_none_match.empty()) {
    if (list_matches(conditions.if_none_match, info.etag)) return ConditionOutcome::not_modified;
  } else if (conditions.if_modified_since_s && modified_s <= *conditions.if_modified_since_s) {
    return ConditionOutcome::not_modified;
  }
  return ConditionOutcome::holds;
}

S3Result<fs::Conditions> write_conditions(const RequestHead& head) {
  fs::Conditions result;
  const std::string_view match = trim(head.get("if-match"));
  const std::string_view none_match = trim(head.get("if-none-match"));
  if (match.find(',') != std::string_view::npos || (!none_match.empty() && none_match != "*") ||
      (!match.empty() && !none_match.empty())) {
    return s3_fail(S3Code::not_implemented,
                   "A header you provided implies functionality that is not implemented: on writes "
                   "If-Match takes one ETag and If-None-Match takes *.");
  }
  for (const std::string_view name : {"x-amz-if-match-size", "x-amz-if-match-last-modified-time"}) {
    if (head.has(name)) {
      return s3_fail(S3Code::not_implemented,
                     "A header you provided implies functionality that is not implemented: {}.",
                     name);
    }
  }
  result.if_match = unquote_etag(match);
  result.if_none_match = none_match;
  if (const auto since = parse_http_date(head.get("if-unmodified-since"))) {
    result.if_unmodified_since_ns = *since * 1'000'000'000 + 999'999'999;
  }
  return result;
}

std::unexpected<S3Error> condition_failed(std::string_view header) {
  S3Error error(S3Code::precondition_failed,
                "At least one of the pre-conditions you specified did not hold");
  error.elements.emplace_back("Condition", header);
  return std::unexpected(std::move(error));
}

}  // namespace turbine::s3
