#include "s3/service.hpp"

#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "s3/text.hpp"
#include "s3/xml_writer.hpp"

namespace turbine::s3 {
namespace {

/// How long a bucket's owner is believed without asking.
constexpr Duration kOwnershipTime = std::chrono::seconds(1);
constexpr size_t kOwnershipsMax = 10'000;

/// Counts the bytes an answer's body had.
class CountingWriter final : public ResponseWriter {
 public:
  explicit CountingWriter(ResponseWriter& inner) : inner_(inner) {}
  Task<> send(ResponseHead head, std::string body) override {
    bytes += body.size();
    status = head.status;
    return inner_.send(std::move(head), std::move(body));
  }
  Task<> start(ResponseHead head, uint64_t length) override {
    status = head.status;
    return inner_.start(std::move(head), length);
  }
  Task<> write(std::vector<Buffer> data) override {
    for (const Buffer& buffer : data) bytes += buffer.size();
    return inner_.write(std::move(data));
  }
  bool started() const override { return inner_.started(); }

  uint64_t bytes = 0;
  int status = 0;

 private:
  ResponseWriter& inner_;
};

}  // namespace

struct S3Service::Outcome {
  std::string request_id;
  std::string_view operation = "Unknown";
  Subject subject = Subject::service;
  uint64_t bytes_in = 0;
  Principal principal;
};

void add_common_fields(ResponseHead& head, Clock& clock, const std::string& request_id) {
  static thread_local int64_t second = -1;
  static thread_local std::string date;
  const int64_t now = clock.wall_now().ns / 1'000'000'000;
  if (now != second) {
    second = now;
    date = format_http_date(now);
  }
  head.add("Date", date);
  head.add("Server", "Turbine");
  head.add("x-amz-request-id", request_id);
  head.add("x-amz-id-2", to_base64(as_bytes(request_id)));
}

S3Service::S3Service(fs::FileSystem& files, const CredentialSource& credentials, Clock& clock,
                     std::string region)
    : Environment(files, clock, region.empty() ? "us-east-1" : region),
      authenticator_(credentials, clock, region),
      request_seed_(secure_random_u64()) {}

std::string S3Service::next_request_id() {
  return fmt::format("{:016X}", combine_seeds(request_seed_, ++requests_));
}

std::pair<ResponseHead, std::string> S3Service::error_answer(const S3Error& error,
                                                             std::string_view resource,
                                                             const std::string& request_id) {
  ResponseHead head;
  head.status = s3_code_status(error.code);
  add_common_fields(head, clock, request_id);
  for (const auto& [name, value] : error.headers) head.add(name, value);
  head.add("Content-Type", "application/xml");
  XmlWriter xml;
  xml.open("Error");
  xml.element("Code", s3_code_name(error.code));
  xml.element("Message", error.message);
  for (const auto& [name, value] : error.elements) xml.element(name, value);
  xml.element("Resource", resource);
  xml.element("RequestId", request_id);
  xml.element("HostId", to_base64(as_bytes(request_id)));
  return {std::move(head), xml.take()};
}

std::pair<ResponseHead, std::string> S3Service::answer_bad_head(const Error& error) {
  S3Error answer(S3Code::invalid_request, "The request is malformed: " + error.context);
  if (error.code == Errc::too_large) answer.code = S3Code::request_header_section_too_large;
  if (error.code == Errc::timeout) answer.code = S3Code::request_timeout;
  if (error.code == Errc::busy) {
    answer = S3Error(S3Code::slow_down, "Too many connections. Please reduce your request rate.");
    answer.headers.emplace_back("Retry-After", "1");
  }
  auto result = error_answer(answer, "", next_request_id());
  if (error.code == Errc::unsupported) result.first.status = 505;
  return result;
}

S3Task<> S3Service::authorize(const Principal& principal, const std::string& bucket) {
  if (principal.root) co_return S3Result<>{};
  const auto known = owners_.find(bucket);
  uint64_t owner = 0;
  if (known != owners_.end() && clock.now() < known->second.until) {
    owner = known->second.owner;
  } else {
    const TimePoint asked = clock.now();
    auto info = co_await files.bucket(files.begin(principal.user), bucket);
    if (!info.ok()) {
      co_return std::unexpected(to_s3_error(std::move(info.error()), Subject::bucket));
    }
    owner = info->owner_user;
    if (owners_.size() >= kOwnershipsMax) owners_.clear();
    owners_[bucket] = {owner, asked + kOwnershipTime};
  }
  if (owner != principal.user) co_return s3_fail(S3Code::access_denied, "Access Denied");
  co_return S3Result<>{};
}

/// The array says "not found" for a missing bucket too: asks which it was.
asio::awaitable<S3Error, Executor> S3Service::translate(S3Error error, const Uri& uri,
                                                        const Outcome& outcome) {
  if (error.cause == Errc::ok) co_return error;
  Subject subject = outcome.subject;
  if (error.cause == Errc::not_found && subject != Subject::bucket && !uri.bucket.empty()) {
    const auto bucket = co_await files.bucket(files.begin(outcome.principal.user), uri.bucket);
    if (bucket.failed_with(Errc::not_found)) subject = Subject::bucket;
  }
  const Errc cause = error.cause;
  const std::string context = error.message;
  S3Error result = to_s3_error({cause, std::move(error.message)}, subject);
  if (s3_code_status(result.code) == 500) {
    log::error("s3: {} {}: {} ({})", outcome.operation, percent_encoded(uri.path, true), context,
               errc_name(cause));
  }
  co_return result;
}

namespace {

/// What a client relies on and this array would have to ignore.
S3Result<> refuse_ignored_promises(const RequestHead& head, const Uri& uri,
                                   const Operation& operation) {
  const std::string_view version = uri.query.get("versionId");
  if (operation.target == Target::object && !version.empty() && version != "null") {
    return s3_fail(S3Code::not_implemented, "Versions are not implemented.");
  }
  for (const auto& [name, value] : head.fields()) {
    const bool of_the_whole =
        operation.handler == complete_multipart_upload && checksum_by_header(name) != nullptr;
    if (of_the_whole || name == "x-amz-expected-bucket-owner" ||
        name == "x-amz-source-expected-bucket-owner") {
      return s3_fail(S3Code::not_implemented,
                     "A header you provided implies functionality that is not implemented: {}.",
                     name);
    }
  }
  return {};
}

}  // namespace

S3Task<> S3Service::run(const RequestHead& head, const Uri& uri, BodyReader& body,
                        ResponseWriter& response, Outcome& outcome) {
  const Authentication who = CO_TRY(authenticator_.authenticate(head, uri));
  outcome.principal = who.principal;
  const Operation* operation = find_operation(head, uri);
  if (operation == nullptr) {
    co_return s3_fail(S3Code::method_not_allowed,
                      "The specified method is not allowed against this resource.");
  }
  outcome.operation = operation->name;
  outcome.subject = operation->subject;
  if (operation->handler == nullptr) {
    co_return s3_fail(S3Code::not_implemented, "{} is not implemented by this array.",
                      operation->name);
  }
  if (operation->target != Target::service && !is_possible_bucket_name(uri.bucket)) {
    co_return s3_fail(S3Code::invalid_bucket_name, "The specified bucket is not valid.");
  }
  if (uri.key.size() > kKeyBytesMax)
    co_return s3_fail(S3Code::key_too_long, "Your key is too long");
  CO_TRY(refuse_ignored_promises(head, uri, *operation));
  if (operation->checks_bucket) CO_TRY(co_await authorize(who.principal, uri.bucket));
  auto verified = CO_TRY(RequestBody::make(head, who, body));
  Request request{head,      uri,      uri.bucket,         uri.key, uri.query, who.principal,
                  *verified, response, outcome.request_id, clock};
  const auto result = co_await operation->handler(*this, request);
  outcome.bytes_in = verified->received();
  co_return result;
}

Task<> S3Service::handle(const RequestHead& head, BodyReader& body, ResponseWriter& writer) {
  const TimePoint begun = clock.now();
  CountingWriter response(writer);
  Outcome outcome;
  outcome.request_id = next_request_id();
  ++stats_.in_flight;
  S3Result<> result;
  auto uri = Uri::parse(head.target());
  if (uri.ok()) {
    result = co_await run(head, *uri, body, response, outcome);
  } else {
    result =
        s3_fail(S3Code::invalid_uri, "Couldn't parse the specified URI: {}.", uri.error().context);
    uri = Uri{};
  }
  Result<> sent;
  if (!result.has_value()) {
    if (response.started()) {
      sent = fail(Errc::closed, "answer cut off: {}", result.error().message);
    } else {
      const S3Error error = co_await translate(std::move(result.error()), *uri, outcome);
      auto [answer, text] = error_answer(error, uri->path, outcome.request_id);
      sent = co_await response.send(std::move(answer), std::move(text));
    }
  }
  --stats_.in_flight;
  OperationCounters& counters = stats_.of(outcome.operation);
  ++counters.count;
  counters.bytes_in += outcome.bytes_in;
  counters.bytes_out += response.bytes;
  if (!sent.ok() || response.status >= 500) {
    ++counters.server_errors;
  } else if (response.status >= 400) {
    ++counters.client_errors;
  }
  counters.latency.add(clock.now() - begun);
  // The target as it came: decoded, it could hold line breaks.
  log::debug("s3: {} {} {} {}", outcome.request_id, outcome.operation, head.target(),
             response.status);
  co_return sent;
}

}  // namespace turbine::s3
