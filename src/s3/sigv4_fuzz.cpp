// Heads with signatures nobody could have made: never accepted, never a crash, one canonical form.
#include <boost/asio/io_context.hpp>

#include "base/check.hpp"
#include "s3/authenticator.hpp"
#include "s3/text.hpp"

namespace turbine::s3 {
namespace {

class OneKey final : public CredentialSource {
 public:
  std::optional<Credential> find(std::string_view access_key) const override {
    if (access_key != "k") return std::nullopt;
    return Credential{"a secret that the fuzzer does not know", {1, "root", "k", true}};
  }
};

/// 2013-05-24T00:00:00Z for ever, the date of the seeds.
class FixedClock final : public Clock {
 public:
  TimePoint now() const override { return {}; }
  WallTime wall_now() const override { return {1'369'353'600'000'000'000}; }
  TimerId call_at(TimePoint, std::move_only_function<void()>) override { return {}; }
  void cancel(TimerId) override {}
  Executor executor() override { return io_.get_executor(); }

 private:
  asio::io_context io_{1};
};

void check_query(const Query& query) {
  const std::string canonical = canonical_query(query, "");
  const auto again = Query::parse(canonical);
  CHECK(again.ok() && again->items().size() == query.items().size());
  CHECK(canonical_query(*again, "") == canonical);
}

void check_canonical_form(const RequestHead& head, const Uri& uri, const SignatureClaim& claim) {
  const std::string text = canonical_request(head, uri, claim, "hash");
  // Method, path, query, one line per signed field, an empty one, the names, the hash.
  const auto lines = static_cast<size_t>(std::ranges::count(text, '\n'));
  CHECK(claim.presigned || lines == 5 + claim.signed_headers.size());
  CHECK(text.ends_with("\nhash"));
}

}  // namespace
}  // namespace turbine::s3

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace turbine::s3;
  static FixedClock clock;
  static OneKey keys;
  static Authenticator anywhere(keys, clock, "");
  static Authenticator here(keys, clock, "us-east-1");
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto query = Query::parse(bytes); query.ok()) check_query(*query);
  const auto head = RequestHead::parse(bytes);
  if (!head.ok()) return 0;
  const auto uri = Uri::parse(head->target());
  if (!uri.ok()) return 0;
  check_query(uri->query);
  if (const auto claim = parse_authorization(*head)) check_canonical_form(*head, *uri, *claim);
  if (const auto claim = parse_presigned(uri->query)) check_canonical_form(*head, *uri, *claim);
  CHECK(!anywhere.authenticate(*head, *uri).has_value());
  CHECK(!here.authenticate(*head, *uri).has_value());
  return 0;
}
