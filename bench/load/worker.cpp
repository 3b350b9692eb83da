#include "worker.hpp"

#include <boost/asio/io_context.hpp>
#include <deque>

#include "base/rng.hpp"
#include "http_client.hpp"
#include "s3/digest.hpp"
#include "s3/text.hpp"
#include "s3/uri.hpp"

namespace turbine::bench {
namespace {

constexpr size_t kScratchBytes = size_t{512} * 1024;
constexpr int kFailuresInARowMax = 20;

uint64_t count_of(std::string_view text, std::string_view what) {
  uint64_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

std::string element_of(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name);
  const size_t begin = xml.find(open);
  if (begin == std::string_view::npos) return "";
  const size_t end = xml.find('<', begin + open.size());
  return std::string(xml.substr(begin + open.size(), end - begin - open.size()));
}

asio::ip::tcp::endpoint endpoint_of(const S3Target& target) {
  boost::system::error_code error;
  const std::string host = target.host == "localhost" ? "127.0.0.1" : target.host;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    fmt::print(stderr, "{} is not an IP address\n", target.host);
    std::exit(2);
  }
  return {address, target.port};
}

/// Shared by the connections of one thread.
struct Thread {
  Thread(Load& l, uint64_t index)
      : load(l),
        signer(l.target()),
        rng(secure_random_u64() + index),
        scratch(Buffer::allocate(kScratchBytes)) {}
  Load& load;
  asio::io_context context{1};
  RequestSigner signer;
  Rng rng;
  Buffer scratch;
  std::map<Operation, OperationStats> stats;
};

/// One connection: picks an operation, does it, notes what became of it.
class Connection {
 public:
  explicit Connection(Thread& thread)
      : thread_(thread),
        load_(thread.load),
        options_(thread.load.options()),
        http_(thread.context.get_executor(), endpoint_of(thread.load.target()),
              thread.scratch.mutable_view()) {}

  Task<> run();

 private:
  struct Choice {
    Operation operation;
    uint64_t index;
  };
  /// Empty when the keys are done.
  std::optional<Choice> choose();
  std::optional<Choice> choose_mixed();
  std::optional<uint64_t> new_index();
  uint64_t present_index();

  Task<uint64_t> perform(Choice choice, std::string key);  // bytes of payload
  Task<uint64_t> put(uint64_t index, std::string key);
  Task<uint64_t> get(uint64_t index, std::string key);
  Task<uint64_t> plain(std::string_view method, std::string key, int status);
  Task<uint64_t> list_page();
  std::string path_of(std::string_view key) const {
    return fmt::format("/{}/{}", options_.bucket, s3::percent_encoded(key, true));
  }

  Thread& thread_;
  Load& load_;
  const LoadOptions& options_;
  HttpClient http_;
  std::deque<uint64_t> own_keys_;  // mixed: put by this connection and not deleted
  std::string list_token_;
  uint64_t items_ = 0;  // keys of the last page
};

Task<> Connection::run() {
  int failures = 0;
  while (!load_.stopping() && failures < kFailuresInARowMax) {
    const auto choice = choose();
    if (!choice) break;
    const std::string key = key_name(options_, choice->index);
    items_ = 0;
    const auto begin = std::chrono::steady_clock::now();
    auto done = co_await perform(*choice, key);
    const auto end = std::chrono::steady_clock::now();
    load_.completed();
    failures = done.ok() ? 0 : failures + 1;
    if (!done.ok()) load_.report_error(choice->operation, key, done.error().text());
    auto& stats = thread_.stats[choice->operation];
    if (!done.ok()) {
      ++stats.errors;  // before and after the measured time too
    } else if (load_.measuring()) {
      ++stats.count;
      stats.bytes += *done;
      stats.items += items_;
      stats.latencies_us.push_back(static_cast<uint32_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(end - begin).count()));
    }
  }
  co_return Result<>{};
}

std::optional<uint64_t> Connection::new_index() {
  const uint64_t index = load_.next_index();
  if (options_.count > 0 && index >= options_.count) return std::nullopt;
  return index;
}

uint64_t Connection::present_index() {
  if (options_.order == KeyOrder::sequential) return load_.next_index() % options_.count;
  return thread_.rng.below(options_.count);
}

std::optional<Connection::Choice> Connection::choose() {
  switch (options_.workload) {
    case Workload::put:
    case Workload::remove: {
      const auto index = new_index();
      if (!index) return std::nullopt;
      return Choice{options_.workload == Workload::put ? Operation::put : Operation::remove,
                    *index};
    }
    case Workload::get:
      return Choice{Operation::get, present_index()};
    case Workload::head:
      return Choice{Operation::head, present_index()};
    case Workload::list:
      return Choice{Operation::list, 0};
    case Workload::mixed:
      return choose_mixed();
  }
  return std::nullopt;
}

/// 60 % GET and 10 % HEAD of keys that stay, 20 % PUT of new keys, 10 % DELETE of those.
std::optional<Connection::Choice> Connection::choose_mixed() {
  const uint64_t dice = thread_.rng.below(100);
  if (dice < 60) return Choice{Operation::get, thread_.rng.below(options_.count)};
  if (dice < 70) return Choice{Operation::head, thread_.rng.below(options_.count)};
  if (dice < 80 && !own_keys_.empty()) {
    const uint64_t index = own_keys_.front();
    own_keys_.pop_front();
    return Choice{Operation::remove, index};
  }
  own_keys_.push_back(options_.count + load_.next_index());
  return Choice{Operation::put, own_keys_.back()};
}

Task<uint64_t> Connection::perform(Choice choice, std::string key) {
  switch (choice.operation) {
    case Operation::put:
      return put(choice.index, std::move(key));
    case Operation::get:
      return get(choice.index, std::move(key));
    case Operation::head:
      return plain("HEAD", std::move(key), 200);
    case Operation::remove:
      return plain("DELETE", std::move(key), 204);
    case Operation::list:
      break;
  }
  return list_page();
}

Result<> expect(const HttpAnswer& answer, int status) {
  if (answer.status == status) return {};
  return fail(Errc::io, "status {}: {}", answer.status, answer.body);
}

Task<uint64_t> Connection::put(uint64_t index, std::string key) {
  const uint64_t size = options_.object_bytes;
  const auto content = load_.pool().make(index, thread_.rng.next(), size);
  const auto digest = s3::make_digest(s3::DigestKind::sha256);
  digest->update(content.head.view());
  digest->update(content.rest);
  const std::string hash = s3::to_hex(as_bytes(digest->finish()));
  std::string head = thread_.signer.head({"PUT", path_of(key), "", hash, size});
  const HttpAnswer answer = CO_TRY(
      co_await http_.call(std::move(head), {content.head.view(), content.rest}, false, nullptr));
  CO_TRY(expect(answer, 200));
  co_return size;
}

Task<uint64_t> Connection::get(uint64_t index, std::string key) {
  ContentPool::Check check(load_.pool(), index);
  HttpClient::Sink sink = [](ByteView) {};
  if (options_.verify) sink = [&check](ByteView piece) { check.feed(piece); };
  std::string head = thread_.signer.head({"GET", path_of(key), "", s3::kEmptySha256, 0});
  const HttpAnswer answer = CO_TRY(co_await http_.call(std::move(head), {}, false, sink));
  CO_TRY(expect(answer, 200));
  if (options_.verify && !check.good(options_.object_bytes)) {
    co_return fail(Errc::corrupt, "the body is not what was put");
  }
  if (answer.body_bytes != options_.object_bytes) {
    co_return fail(Errc::corrupt, "{} bytes instead of {}", answer.body_bytes,
                   options_.object_bytes);
  }
  co_return answer.body_bytes;
}

Task<uint64_t> Connection::plain(std::string_view method, std::string key, int status) {
  std::string head = thread_.signer.head({method, path_of(key), "", s3::kEmptySha256, 0});
  const HttpAnswer answer =
      CO_TRY(co_await http_.call(std::move(head), {}, method == "HEAD", nullptr));
  CO_TRY(expect(answer, status));
  co_return 0;
}

/// The next page of the bucket's listing; behind the last comes the first again.
Task<uint64_t> Connection::list_page() {
  std::string query;
  if (!list_token_.empty()) {
    query = "continuation-token=" + s3::percent_encoded(list_token_, false) + "&";
  }
  query += "list-type=2&max-keys=1000&prefix=" + s3::percent_encoded(options_.prefix, false);
  std::string head =
      thread_.signer.head({"GET", "/" + options_.bucket, query, s3::kEmptySha256, 0});
  const HttpAnswer answer = CO_TRY(co_await http_.call(std::move(head), {}, false, nullptr));
  CO_TRY(expect(answer, 200));
  items_ = count_of(answer.body, "<Key>");
  list_token_ = element_of(answer.body, "NextContinuationToken");
  if (items_ == 0) co_return fail(Errc::not_found, "no keys in {}", options_.bucket);
  co_return answer.body_bytes;
}

}  // namespace

void run_worker(Load& load, uint64_t thread_index, uint64_t connections) {
  Thread thread(load, thread_index);
  std::deque<Connection> all;
  for (uint64_t i = 0; i < connections; ++i) {
    asio::co_spawn(thread.context, all.emplace_back(thread).run(),
                   [](std::exception_ptr error, const Result<>&) {
                     if (error) std::rethrow_exception(error);
                   });
  }
  thread.context.run();
  load.worker_done(std::move(thread.stats));
}

Result<> make_bucket(const S3Target& target, const std::string& bucket) {
  asio::io_context context{1};
  Buffer scratch = Buffer::allocate(kScratchBytes);
  HttpClient http(context.get_executor(), endpoint_of(target), scratch.mutable_view());
  RequestSigner signer(target);
  Result<HttpAnswer> answer = fail(Errc::unavailable, "no answer");
  asio::co_spawn(
      context,
      http.call(signer.head({"PUT", "/" + bucket, "", s3::kEmptySha256, 0}), {}, false, nullptr),
      [&answer](std::exception_ptr error, Result<HttpAnswer> got) {
        if (error) std::rethrow_exception(error);
        answer = std::move(got);
      });
  context.run();
  const HttpAnswer got = TRY(std::move(answer));
  if (got.status == 409) return {};
  return expect(got, 200);
}

}  // namespace turbine::bench
