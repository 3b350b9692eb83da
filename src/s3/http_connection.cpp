#include "s3/http_connection.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <string>

#include "base/async.hpp"
#include "s3/http_chunked.hpp"
#include "s3/response_text.hpp"

namespace turbine::s3 {
namespace {

constexpr size_t kInputBytes = size_t{16} * 1024;
constexpr size_t kChunkedReadBytes = size_t{256} * 1024;
constexpr size_t kLingerBytesMax = size_t{64} * 1024 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

/// The socket with its input buffer and its one deadline.
class HttpConnection::Core {
 public:
  Core(Socket s, Clock& c, const HttpLimits& l, const HttpHandler& h, const BadHeadAnswer& b)
      : socket(std::move(s)), clock(c), limits(l), handler(h), bad_head(b) {
    input.reserve(kInputBytes);
  }
  ~Core() { clock.cancel(timer_); }

  /// Reads at least one byte into `into`, until `deadline`.
  Task<size_t> read_some(MutableByteView into, TimePoint deadline) {
    arm(deadline);
    const auto [error, count] =
        co_await socket.async_read_some(asio::buffer(into.data(), into.size()), kAwait);
    disarm();
    if (expired_) co_return fail(Errc::timeout, "the client is too slow");
    if (error || count == 0) co_return fail(Errc::closed, "connection closed by the client");
    co_return count;
  }

  Task<> write_all(std::vector<asio::const_buffer> data) {
    size_t first = 0;
    while (first < data.size()) {
      arm(clock.now() + limits.idle_time);
      const std::span<asio::const_buffer> rest(data.data() + first, data.size() - first);
      auto [error, count] = co_await socket.async_write_some(rest, kAwait);
      disarm();
      if (error || expired_) co_return fail(Errc::closed, "connection closed by the client");
      while (first < data.size() && count >= data[first].size()) {
        count -= data[first].size();
        ++first;
      }
      if (first < data.size()) data[first] += count;
    }
    co_return Result<>{};
  }

  /// More bytes behind those in `input`.
  Task<> fill_input(TimePoint deadline) {
    const size_t have = input.size();
    input.resize(std::max(kInputBytes, have + kInputBytes));
    auto count =
        co_await read_some(std::as_writable_bytes(std::span(input)).subspan(have), deadline);
    input.resize(have + count.value_or(0));
    if (!count.ok()) co_return fail(std::move(count.error()));
    co_return Result<>{};
  }

  void cut() {
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  Socket socket;
  Clock& clock;
  const HttpLimits& limits;
  const HttpHandler& handler;
  const BadHeadAnswer& bad_head;
  std::string input;  // received and not yet taken
  bool waiting_for_request = true;
  bool finishing = false;

 private:
  /// The timer fires at the earliest deadline it was set for and moves on when that has moved:
  /// setting a deadline per read costs an assignment.
  void arm(TimePoint deadline) {
    deadline_ = deadline;
    armed_ = true;
    expired_ = false;  // of the operation before: its answer must still get out
    if (timer_set_ && timer_at_ <= deadline) return;
    clock.cancel(timer_);
    set_timer(deadline);
  }
  void disarm() { armed_ = false; }
  void set_timer(TimePoint at) {
    timer_at_ = at;
    timer_set_ = true;
    timer_ = clock.call_at(at, [this] {
      timer_set_ = false;
      if (!armed_) return;
      if (clock.now() < deadline_) {
        set_timer(deadline_);
        return;
      }
      expired_ = true;
      boost::system::error_code ignored;
      socket.cancel(ignored);
    });
  }

  TimePoint deadline_{}, timer_at_{};
  TimerId timer_{};
  bool armed_ = false, timer_set_ = false, expired_ = false;
};

class HttpConnection::Body final : public BodyReader {
 public:
  Body(Core& core, const RequestHead& head)
      : core_(core),
        chunked_(head.chunked()),
        left_(head.content_length().value_or(0)),
        must_continue_(head.expects_continue() && head.has_body()) {}

  bool finished() const override {
    return chunked_ ? decoder_.done() && ready_.empty() : left_ == 0;
  }

  /// Takes the rest of a body that has arrived already, so that an early answer need not end the
  /// connection.
  void discard_received() {
    if (chunked_ || must_continue_ || failed_ || left_ > core_.input.size()) return;
    core_.input.erase(0, static_cast<size_t>(left_));
    left_ = 0;
  }

  Task<Buffer> next() override {
    if (finished()) co_return Buffer();
    if (failed_) co_return fail(Errc::closed, "the body broke off before");
    if (must_continue_) {
      must_continue_ = false;
      if (core_.input.empty()) CO_TRY(co_await core_.write_all({asio::buffer(kContinue)}));
    }
    auto result = chunked_ ? co_await next_chunked() : co_await next_plain();
    failed_ = !result.ok();
    co_return result;
  }

 private:
  Task<Buffer> next_plain() {
    const auto size =
        static_cast<size_t>(std::min<uint64_t>(left_, core_.limits.body_buffer_bytes));
    Buffer buffer = Buffer::allocate(size);
    size_t have = std::min(size, core_.input.size());
    std::memcpy(buffer.data(), core_.input.data(), have);
    core_.input.erase(0, have);
    while (have < size) {
      have += CO_TRY(co_await read_some(buffer.mutable_view().subspan(have)));
    }
    left_ -= size;
    co_return buffer;
  }

  Task<Buffer> next_chunked() {
    while (ready_.empty()) {
      Buffer buffer;
      if (!core_.input.empty()) {
        buffer = Buffer::copy_of(core_.input);
        core_.input.clear();
      } else {
        // A buffer is filled further as long as it has room, so that small reads don't pin many.
        if (partial_.capacity() < kPageBytes) partial_ = Buffer::allocate(kChunkedReadBytes);
        partial_.resize(partial_.capacity());
        const size_t count = CO_TRY(co_await read_some(partial_.mutable_view()));
        buffer = partial_.slice(0, count);
        partial_ = partial_.slice(count, partial_.size() - count);
      }
      std::vector<Buffer> out;
      const size_t taken = CO_TRY(decoder_.feed(buffer, out));
      ready_.assign(out.begin(), out.end());
      if (decoder_.done()) {
        core_.input.assign(buffer.text().substr(taken));
        break;
      }
    }
    if (ready_.empty()) co_return Buffer();
    Buffer first = std::move(ready_.front());
    ready_.pop_front();
    co_return first;
  }

  /// The minimum rate counts only the time in which the server waited for the client.
  Task<size_t> read_some(MutableByteView into) {
    const TimePoint begin = core_.clock.now();
    const auto earned =
        std::chrono::milliseconds(received_ * 1000 / core_.limits.body_bytes_per_second_min);
    const Duration allowed = core_.limits.body_grace + earned - waited_;
    const TimePoint deadline = begin + std::min<Duration>(allowed, core_.limits.idle_time);
    auto count = co_await core_.read_some(into, deadline);
    waited_ += core_.clock.now() - begin;
    if (count.ok()) received_ += *count;
    co_return count;
  }

  Core& core_;
  const bool chunked_;
  uint64_t left_;  // of a body with Content-Length
  bool must_continue_;
  bool failed_ = false;
  HttpChunkedDecoder decoder_;
  std::deque<Buffer> ready_;
  Buffer partial_;
  uint64_t received_ = 0;
  Duration waited_{};
};

class HttpConnection::Writer final : public ResponseWriter {
 public:
  Writer(Core& core, const RequestHead& head, Body& body)
      : core_(core), body_(body), head_only_(head.method() == "HEAD"), keep_(head.keep_alive()) {}

  Task<> send(ResponseHead head, std::string body) override {
    CO_TRY(co_await start(std::move(head), body.size()));
    std::vector<asio::const_buffer> out{asio::buffer(head_text_)};
    if (!head_only_) out.emplace_back(asio::buffer(body));
    left_ = 0;
    head_sent_ = true;
    co_return co_await core_.write_all(std::move(out));
  }

  Task<> start(ResponseHead head, uint64_t length) override {
    CHECK(!started_);
    started_ = true;
    body_.discard_received();
    left_ = head_only_ ? 0 : length;
    keep_ = keep_ && body_.finished() && !core_.finishing;
    const bool bodyless = head.status == 204 || head.status == 304;
    if (bodyless) left_ = 0;
    head_text_ = format_response_head(head, bodyless ? std::nullopt : std::optional(length), keep_);
    co_return Result<>{};
  }

  Task<> write(std::vector<Buffer> data) override {
    if (head_only_) co_return Result<>{};
    std::vector<asio::const_buffer> out;
    out.reserve(data.size() + 1);
    if (!std::exchange(head_sent_, true)) out.emplace_back(asio::buffer(head_text_));
    for (const Buffer& buffer : data) {
      CHECK(buffer.size() <= left_);
      left_ -= buffer.size();
      if (!buffer.empty()) out.emplace_back(buffer.data(), buffer.size());
    }
    co_return co_await core_.write_all(std::move(out));
  }

  bool started() const override { return started_; }

  /// Sends a head that no write() has taken along.
  Task<> flush() {
    if (started_ && !std::exchange(head_sent_, true)) {
      CO_TRY(co_await core_.write_all({asio::buffer(head_text_)}));
    }
    co_return Result<>{};
  }
  bool complete() const { return started_ && head_sent_ && left_ == 0; }
  bool keep() const { return keep_; }

 private:
  Core& core_;
  Body& body_;
  const bool head_only_;
  bool keep_;
  bool started_ = false, head_sent_ = false;
  uint64_t left_ = 0;
  std::string head_text_;
};

HttpConnection::HttpConnection(Socket socket, Clock& clock, const HttpLimits& limits,
                               const HttpHandler& handler, const BadHeadAnswer& bad_head)
    : core_(std::make_unique<Core>(std::move(socket), clock, limits, handler, bad_head)) {}

HttpConnection::~HttpConnection() = default;

bool HttpConnection::idle() const {
  return core_->waiting_for_request;
}

void HttpConnection::finish() {
  core_->finishing = true;
  if (core_->waiting_for_request) abort();
}

void HttpConnection::abort() {
  core_->finishing = true;
  boost::system::error_code ignored;
  core_->socket.shutdown(asio::socket_base::shutdown_both, ignored);
  core_->socket.cancel(ignored);
}

namespace {

/// Reads the next head. The string is empty when the client closed between requests.
template <class Core>
Task<std::string> read_head(Core& core) {
  TimePoint deadline = core.clock.now() + core.limits.idle_time;
  size_t searched = 0;
  bool begun = false;
  for (;;) {
    // An empty line before the request line is left over from a body (RFC 9112 section 2.2).
    if (searched <= 1 && core.input.starts_with("\r\n")) {
      core.input.erase(0, 2);
      searched = 0;
    }
    if (!begun && !core.input.empty()) {
      begun = true;
      core.waiting_for_request = false;
      deadline = core.clock.now() + core.limits.head_time;
    }
    const size_t end = find_head_end(core.input, searched);
    if (end != std::string::npos) {
      std::string head = core.input.substr(0, end);
      core.input.erase(0, end);
      co_return head;
    }
    searched = core.input.size();
    if (searched > core.limits.head.head_bytes_max) {
      co_return fail(Errc::too_large, "head longer than {} bytes", core.limits.head.head_bytes_max);
    }
    auto filled = co_await core.fill_input(deadline);
    if (!filled.ok()) {
      if (!begun || filled.failed_with(Errc::closed)) co_return std::string();
      co_return fail(std::move(filled.error()));
    }
  }
}

template <class Core>
Task<> refuse(Core& core, Error error) {
  auto [head, body] = core.bad_head(error);
  const std::string text = format_response_head(head, body.size(), false);
  co_return co_await core.write_all({asio::buffer(text), asio::buffer(body)});
}

/// Lets the client read an answer that ends the connection: closing with unread input would send a
/// reset that can overtake the answer.
template <class Core>
Task<> linger(Core& core) {
  boost::system::error_code error;
  core.socket.shutdown(asio::socket_base::shutdown_send, error);
  if (error) co_return Result<>{};
  const TimePoint deadline = core.clock.now() + core.limits.linger_time;
  Buffer sink = Buffer::allocate(size_t{64} * 1024);
  for (size_t taken = 0; taken < kLingerBytesMax;) {
    const auto count = co_await core.read_some(sink.mutable_view(), deadline);
    if (!count.ok()) break;
    taken += *count;
  }
  co_return Result<>{};
}

}  // namespace

Task<> HttpConnection::run() {
  Core& core = *core_;
  while (!core.finishing) {
    core.waiting_for_request = core.input.empty();
    auto text = co_await read_head(core);
    core.waiting_for_request = false;
    if (text.ok() && text->empty()) break;
    auto head = text.ok() ? RequestHead::parse(*text, core.limits.head)
                          : Result<RequestHead>(fail(std::move(text.error())));
    if (!head.ok()) {
      (void)co_await refuse(core, std::move(head.error()));
      (void)co_await linger(core);
      break;
    }
    // Also for a body of nothing: botocore takes a final answer that comes without it for the end
    // of its waiting, and then reads the next answer on this connection wrong.
    if (head->expects_continue() && !head->has_body()) {
      if (!(co_await core.write_all({asio::buffer(kContinue)})).ok()) break;
    }
    Body body(core, *head);
    Writer writer(core, *head, body);
    auto handled = co_await core.handler(*head, body, writer);
    if (handled.ok()) handled = co_await writer.flush();
    if (!handled.ok() || !writer.complete()) break;
    if (!writer.keep()) {
      (void)co_await linger(core);
      break;
    }
  }
  core.cut();
  co_return Result<>{};
}

}  // namespace turbine::s3
