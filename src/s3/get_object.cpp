// GetObject and HeadObject.
#include <boost/asio/co_spawn.hpp>

#include "base/async.hpp"
#include "s3/byte_range.hpp"
#include "s3/conditions.hpp"
#include "s3/object_fields.hpp"
#include "s3/operation.hpp"
#include "s3/service.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

/// Bytes read at once: while one piece is being sent, the next is being read.
constexpr uint64_t kPieceBytes = uint64_t{1024} * 1024;

constexpr std::pair<std::string_view, std::string_view> kOverrides[] = {
    {"response-content-type", "Content-Type"},
    {"response-content-language", "content-language"},
    {"response-expires", "expires"},
    {"response-cache-control", "cache-control"},
    {"response-content-disposition", "content-disposition"},
    {"response-content-encoding", "content-encoding"},
};

void override_fields(ResponseHead& head, const Query& query) {
  for (const auto& [parameter, field] : kOverrides) {
    const std::string* value = query.find(parameter);
    if (value == nullptr) continue;
    std::erase_if(head.fields,
                  [&](const auto& item) { return equals_ignoring_case(item.first, field); });
    head.add(field, *value);
  }
}

struct Plan {
  ResponseHead head;
  ByteRange range;
  bool has_body = true;
};

/// RFC 9110 section 13.1.5: another validator than the object's (strong, or its exact time) makes a
/// range request one for the whole.
bool if_range_holds(const RequestHead& head, const fs::ObjectInfo& info) {
  const std::string_view validator = head.get("if-range");
  if (validator.empty()) return true;
  if (const auto date = parse_http_date(validator))
    return *date == info.modified_ns / 1'000'000'000;
  return validator == quoted_etag(info.etag);
}

/// What to answer for the object as it is: conditions, range, fields.
S3Result<Plan> plan_answer(const Request& request, const fs::ObjectInfo& info) {
  Plan plan;
  const ReadConditions conditions = read_conditions(request.head, "");
  switch (evaluate(conditions, info)) {
    case ConditionOutcome::holds:
      break;
    case ConditionOutcome::failed:
      return condition_failed(conditions.if_match.empty() ? "If-Unmodified-Since" : "If-Match");
    case ConditionOutcome::not_modified:
      plan.head.status = 304;
      plan.head.add("ETag", quoted_etag(info.etag));
      plan.head.add("Last-Modified", format_http_date(info.modified_ns / 1'000'000'000));
      plan.has_body = false;
      return plan;
  }
  if (const std::string* part = request.query.find("partNumber")) {
    // The whole of an object that has no parts is its part 1.
    if (info.part_count > 0 || request.head.has("range")) {
      return s3_fail(S3Code::not_implemented, "Reading by partNumber is not implemented.");
    }
    if (*part != "1") {
      return s3_fail(S3Code::invalid_range, "The requested partnumber is not satisfiable");
    }
  }
  const bool ranged = if_range_holds(request.head, info);
  const auto range = TRY(parse_range(ranged ? request.head.get("range") : "", info.size));
  const bool whole = !range.has_value();
  plan.range = range.value_or(ByteRange{0, info.size});
  const bool wants_checksum =
      equals_ignoring_case(request.head.get("x-amz-checksum-mode"), "enabled");
  add_object_fields(plan.head, info, wants_checksum && whole);
  override_fields(plan.head, request.query);
  if (!whole) {
    plan.head.status = 206;
    plan.head.add("Content-Range",
                  fmt::format("bytes {}-{}/{}", plan.range.offset,
                              plan.range.offset + plan.range.length - 1, info.size));
  }
  return plan;
}

using Pieces = std::vector<Buffer>;

/// Starts a read whose result the caller must await before `reader` goes.
OneShot<Pieces> start_read(Executor executor, fs::ObjectReader& reader, ByteRange range) {
  OneShot<Pieces> shot(executor);
  asio::co_spawn(executor, reader.read(range.offset, range.length),
                 [shot](std::exception_ptr error, Result<Pieces> pieces) mutable {
                   if (error) std::rethrow_exception(error);
                   shot.set(std::move(pieces));
                 });
  return shot;
}

ByteRange take_piece(ByteRange& rest) {
  const ByteRange piece{rest.offset, std::min(rest.length, kPieceBytes)};
  rest.offset += piece.length;
  rest.length -= piece.length;
  return piece;
}

/// Sends `first`, then the bytes of `rest`.
Task<> stream(fs::ObjectReader& reader, ResponseWriter& response, Pieces first, ByteRange rest) {
  const Executor executor = co_await asio::this_coro::executor;
  Result<Pieces> pieces = std::move(first);
  while (rest.length > 0) {
    OneShot<Pieces> next = start_read(executor, reader, take_piece(rest));
    const auto sent = co_await response.write(std::move(*pieces));
    pieces = co_await next.wait();
    if (!sent.ok()) co_return sent;
    if (!pieces.ok()) co_return fail(std::move(pieces.error()));
  }
  co_return co_await response.write(std::move(*pieces));
}

}  // namespace

S3Task<> get_object(Environment& env, Request& request) {
  const auto reader =
      CO_TRY(co_await env.files.open(env.begin(request), request.bucket, request.key));
  Plan plan = CO_TRY(plan_answer(request, reader->info()));
  if (!plan.has_body || plan.range.length == 0) {
    co_return co_await send_head(request, std::move(plan.head));
  }
  // The first piece before the head: what fails here can still be answered as an error.
  ByteRange rest = plan.range;
  const ByteRange first = take_piece(rest);
  auto pieces = CO_TRY(co_await reader->read(first.offset, first.length));
  add_common_fields(plan.head, request.clock, request.request_id);
  CO_TRY(co_await request.response.start(std::move(plan.head), plan.range.length));
  if (rest.length == 0) {
    CO_TRY(co_await request.response.write(std::move(pieces)));
  } else {
    CO_TRY(co_await stream(*reader, request.response, std::move(pieces), rest));
  }
  co_return S3Result<>{};
}

S3Task<> head_object(Environment& env, Request& request) {
  const auto info =
      CO_TRY(co_await env.files.head(env.begin(request), request.bucket, request.key));
  Plan plan = CO_TRY(plan_answer(request, info));
  if (!plan.has_body) co_return co_await send_head(request, std::move(plan.head));
  add_common_fields(plan.head, request.clock, request.request_id);
  CO_TRY(co_await request.response.start(std::move(plan.head), plan.range.length));
  co_return S3Result<>{};
}

}  // namespace turbine::s3
