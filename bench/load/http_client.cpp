#include "http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/async.hpp"
#include "s3/text.hpp"

namespace turbine::bench {
namespace {

constexpr auto kAwait = asio::as_tuple(UseAwaitable{});

struct AnswerHead {
  int status = 0;
  uint64_t length = 0;
  bool chunked = false;
  bool close = false;
};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// `text`: from the status line to the empty line.
Result<AnswerHead> parse_head(std::string_view text) {
  AnswerHead head;
  const auto status = text.size() > 12 ? s3::parse_decimal(text.substr(9, 3)) : std::nullopt;
  if (!text.starts_with("HTTP/1.") || !status) return fail(Errc::corrupt, "not an HTTP answer");
  head.status = static_cast<int>(*status);
  size_t at = text.find("\r\n") + 2;
  while (at < text.size()) {
    const size_t end = text.find("\r\n", at);
    const std::string_view line = text.substr(at, end - at);
    at = end + 2;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string name = s3::lower_case(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "content-length") {
      const auto length = s3::parse_decimal(value);
      if (!length) return fail(Errc::corrupt, "bad Content-Length");
      head.length = *length;
    } else if (name == "transfer-encoding") {
      head.chunked = s3::lower_case(value) == "chunked";
    } else if (name == "connection") {
      head.close = s3::lower_case(value) == "close";
    }
  }
  if (head.status == 204 || head.status == 304) head.length = 0;
  return head;
}

void take(HttpAnswer& answer, const HttpClient::Sink& sink, ByteView piece) {
  answer.body_bytes += piece.size();
  if (sink && answer.status < 300) {
    sink(piece);
  } else {
    answer.body.append(as_text(piece));
  }
}

}  // namespace

HttpClient::HttpClient(Executor executor, asio::ip::tcp::endpoint server, MutableByteView scratch)
    : socket_(executor), server_(std::move(server)), scratch_(scratch) {}

Task<> HttpClient::connect() {
  boost::system::error_code error;
  socket_.close(error);
  const auto [failed] = co_await socket_.async_connect(server_, kAwait);
  if (failed) co_return fail(Errc::unavailable, "connecting: {}", failed.message());
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  socket_.non_blocking(true, error);
  connected_ = true;
  co_return Result<>{};
}

Task<> HttpClient::send(std::vector<asio::const_buffer> data) {
  size_t first = 0;
  while (first < data.size()) {
    const std::span<asio::const_buffer> rest(data.data() + first, data.size() - first);
    auto [error, count] = co_await socket_.async_write_some(rest, kAwait);
    if (error) co_return fail(Errc::closed, "sending: {}", error.message());
    while (first < data.size() && count >= data[first].size()) {
      count -= data[first].size();
      ++first;
    }
    if (first < data.size()) data[first] += count;
  }
  co_return Result<>{};
}

/// Waits first and reads afterwards: nobody else runs between the read and the use of the scratch.
Task<size_t> HttpClient::receive() {
  for (;;) {
    boost::system::error_code error;
    const size_t count = socket_.read_some(asio::buffer(scratch_.data(), scratch_.size()), error);
    if (!error) co_return count;
    if (error != asio::error::would_block && error != asio::error::try_again) {
      co_return fail(Errc::closed, "receiving: {}", error.message());
    }
    const auto [failed] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    if (failed) co_return fail(Errc::closed, "receiving: {}", failed.message());
  }
}

Task<> HttpClient::receive_into(std::string& text) {
  const size_t count = CO_TRY(co_await receive());
  text.append(as_text(scratch_.first(count)));
  co_return Result<>{};
}

Task<HttpAnswer> HttpClient::read_answer(bool head_only, const Sink& sink) {
  std::string text;
  ByteView piece;
  size_t end = std::string::npos;
  while (end == std::string::npos) {
    const size_t count = CO_TRY(co_await receive());
    const std::string_view got = as_text(scratch_.first(count));
    const size_t before = text.size();
    text.append(got.substr(0, std::min<size_t>(count, 16384)));
    end = text.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
      if (text.size() >= 16384) co_return fail(Errc::corrupt, "an answer's head without end");
      continue;
    }
    end += 4;
    piece = ByteView(scratch_.data() + (end - before), count - (end - before));
  }
  const AnswerHead head = CO_TRY(parse_head(std::string_view(text).substr(0, end)));
  HttpAnswer answer;
  answer.status = head.status;
  connected_ = !head.close;
  if (head_only) co_return answer;
  if (head.chunked) {
    CO_TRY(co_await read_chunked(std::string(as_text(piece)), answer, sink));
    co_return answer;
  }
  for (;;) {
    take(answer, sink, piece);
    if (answer.body_bytes >= head.length) break;
    const size_t count = CO_TRY(co_await receive());
    piece = scratch_.first(count);
  }
  if (answer.body_bytes > head.length) co_return fail(Errc::corrupt, "more than Content-Length");
  co_return answer;
}

/// Other servers send listings this way.
Task<> HttpClient::read_chunked(std::string input, HttpAnswer& answer, const Sink& sink) {
  size_t at = 0;
  for (;;) {
    size_t line_end = 0;
    while ((line_end = input.find("\r\n", at)) == std::string::npos)
      CO_TRY(co_await receive_into(input));
    const auto size = s3::parse_hex(std::string_view(input).substr(at, line_end - at));
    if (!size) co_return fail(Errc::corrupt, "bad chunk size");
    at = line_end + 2;
    while (input.size() < at + *size + 2) CO_TRY(co_await receive_into(input));
    if (*size == 0) co_return Result<>{};
    take(answer, sink, as_bytes(std::string_view(input).substr(at, *size)));
    at += *size + 2;
  }
}

Task<HttpAnswer> HttpClient::exchange(std::string head, std::vector<ByteView> body, bool head_only,
                                      Sink sink) {
  if (!connected_) CO_TRY(co_await connect());
  std::vector<asio::const_buffer> out{asio::buffer(head)};
  for (const ByteView piece : body) {
    if (!piece.empty()) out.emplace_back(piece.data(), piece.size());
  }
  CO_TRY(co_await send(std::move(out)));
  co_return co_await read_answer(head_only, sink);
}

Task<HttpAnswer> HttpClient::call(std::string head, std::vector<ByteView> body, bool head_only,
                                  Sink sink) {
  auto answer = co_await exchange(std::move(head), std::move(body), head_only, std::move(sink));
  if (!answer.ok()) connected_ = false;
  co_return answer;
}

}  // namespace turbine::bench
