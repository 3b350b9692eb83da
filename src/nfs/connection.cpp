#include "nfs/connection.hpp"

#include <boost/asio/post.hpp>

#include "base/async.hpp"
#include "base/log.hpp"
#include "nfs/dispatch.hpp"
#include "nfs/nfs3_procedures.hpp"

namespace turbine::nfs {
namespace {

constexpr size_t kPiecesMax = 64;  // of one writev

ClientAddress peer_of(const Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? ClientAddress{} : ClientAddress{endpoint.address(), endpoint.port()};
}

asio::ip::address local_of(const Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.local_endpoint(error);
  return error ? asio::ip::address{} : endpoint.address();
}

}  // namespace

Connection::Connection(Socket socket, RpcServerState& server)
    : socket_(std::move(socket)),
      server_(server),
      client_(peer_of(socket_), local_of(socket_)),
      reader_(server.limits.record, find_write_payload),
      memory_(server.gate.executor(), server.limits.connection_bytes_max),
      changed_(server.gate.executor()) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  last_call_ = last_sent_ = server_.env.clock.now();
}

Connection::~Connection() {
  CHECK(drained());
}

Task<> Connection::run() {
  auto read = co_await read_calls();
  if (read.failed_with(Errc::invalid)) {
    log::debug("nfs: connection of {} cut: {}", client_.address.address.to_string(),
               read.error().context);
    abort();
  }
  if (reader_.reserved() > 0) give_memory(reader_.reserved());
  while (!drained()) (void)co_await changed_.wait();
  boost::system::error_code ignored;
  socket_.close(ignored);
  co_return Result<>{};
}

Task<> Connection::read_calls() {
  while (!finishing_) {
    auto record = reader_.next();
    if (!record.ok()) co_return fail(std::move(record.error()));
    if (record->has_value()) {
      record_since_ = {};
      if (!start_call(std::move(**record))) co_return fail(Errc::invalid, "not an RPC call");
      while (in_flight_ >= server_.limits.calls_max && !finishing_) {
        (void)co_await changed_.wait();
      }
      continue;
    }
    if (reader_.wanted() > 0) {
      CO_TRY(co_await take_memory(reader_.wanted()));
      reader_.grant();
      record_since_ = server_.env.clock.now();  // it has waited for us so far
      continue;
    }
    const MutableByteView room = reader_.room();
    const auto [error, count] =
        co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), kAwait);
    if (error || count == 0) co_return Result<>{};
    if (server_.slept(server_.env.clock.now())) {
      co_return fail(Errc::invalid, "this process has slept, the client may have long given up");
    }
    reader_.received(count);
    if (record_since_ == TimePoint{}) record_since_ = server_.env.clock.now();
  }
  co_return Result<>{};
}

Task<> Connection::take_memory(size_t bytes) {
  if (!memory_.try_acquire(bytes)) CO_TRY(co_await memory_.acquire(bytes));
  if (!server_.memory.try_acquire(bytes)) CO_TRY(co_await server_.memory.acquire(bytes));
  co_return Result<>{};
}

void Connection::give_memory(size_t bytes) {
  memory_.release(bytes);
  server_.memory.release(bytes);
}

Task<> Connection::reserve(RpcCall& call, size_t bytes) {
  CO_TRY(co_await take_memory(bytes));
  call.reserved += bytes;
  if (aborted_) co_return fail(Errc::closed, "the client is gone");
  co_return Result<>{};
}

bool Connection::start_call(Record record) {
  RpcCall call;
  call.reserved = record.reserved;
  call.record = std::move(record);
  call.client = &client_;
  call.sink = this;
  XdrReader reader(call.record.head);
  const CallVerdict verdict = read_call(reader, call.header);
  if (verdict == CallVerdict::not_a_call) {
    if (call.reserved > 0) give_memory(call.reserved);
    return false;
  }
  ++in_flight_;
  call.received = last_call_ = server_.env.clock.now();
  if (verdict != CallVerdict::ok) {
    refuse(call, verdict);
    return true;
  }
  (call.header.procedure == 0 ? greeted_ : worked_) = true;
  call.arguments_at = call.record.head.size() - reader.rest().size();
  if (const Procedure* procedure = find_procedure(server_.programs, server_.env.stats, call)) {
    server_.gate.spawn("nfs call", procedure->run(server_.env, std::move(call)));
  }
  return true;
}

void Connection::replied(const RpcCall& call) {
  if (aborted_) {
    out_.clear();
    end_call(call.reserved);
    return;
  }
  if (unsent_.empty()) last_sent_ = server_.env.clock.now();
  unsent_.push_back({out_.appended(), call.reserved});
  if (flush_posted_ || waiting_writable_) return;
  flush_posted_ = true;
  asio::post(server_.gate.executor(), [this] {
    flush_posted_ = false;
    flush();
    if (drained()) changed_.notify_all();
  });
}

void Connection::dropped(const RpcCall& call) {
  end_call(call.reserved);
  if (drained()) changed_.notify_all();
}

void Connection::hang_up() {
  abort();
}

void Connection::flush() {
  std::array<asio::const_buffer, kPiecesMax> pieces;
  while (!aborted_ && !out_.empty()) {
    const size_t count = out_.gather(pieces);
    boost::system::error_code error;
    const size_t bytes = socket_.write_some(std::span(pieces.data(), count), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      waiting_writable_ = true;
      socket_.async_wait(Socket::wait_write, [this](boost::system::error_code failed) {
        waiting_writable_ = false;
        if (failed) abort();
        flush();
        if (drained()) changed_.notify_all();
      });
      return;
    }
    if (error) {
      abort();
      return;
    }
    sent(bytes);
  }
}

void Connection::sent(size_t bytes) {
  out_.consume(bytes);
  last_sent_ = server_.env.clock.now();
  while (!unsent_.empty() && unsent_.front().end <= out_.sent()) {
    end_call(unsent_.front().reserved);
    unsent_.pop_front();
  }
}

void Connection::end_call(size_t reserved) {
  if (reserved > 0) give_memory(reserved);
  --in_flight_;
  if (in_flight_ + 1 == server_.limits.calls_max || finishing_) changed_.notify_all();
}

void Connection::finish() {
  if (finishing_) return;
  finishing_ = true;
  boost::system::error_code ignored;
  socket_.shutdown(asio::socket_base::shutdown_receive, ignored);
  changed_.notify_all();
}

void Connection::abort() {
  if (aborted_) return;
  aborted_ = finishing_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  out_.clear();
  for (const Reply& reply : std::exchange(unsent_, {})) end_call(reply.reserved);
  changed_.notify_all();
}

void Connection::check(TimePoint now) {
  const RpcLimits& limits = server_.limits;
  const bool pressed = server_.pressed();
  const bool reading = reader_.partial() && record_since_ != TimePoint{};
  const bool late =
      now - record_since_ > (pressed ? limits.record_time_pressed : limits.record_time);
  if (reading && in_flight_ == 0 && reader_.wanted() == 0 && late) abort();
  const Duration send_time = pressed ? limits.send_time_pressed : limits.send_time;
  if (!out_.empty() && now - last_sent_ > send_time) abort();
  // libnfs 4.0 that disconnects within a reply takes the next connection's first one, that of NULL,
  // for the rest of it, and waits for more as long as it is let.
  const Duration idle_time = greeted_ && !worked_ ? limits.greeting_time : limits.idle_time;
  if (in_flight_ == 0 && !reading && now - last_call_ > idle_time) finish();
}

}  // namespace turbine::nfs
