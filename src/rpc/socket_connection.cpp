#include "rpc/socket_connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/async.hpp"
#include "base/log.hpp"

namespace turbine::rpc {
namespace {

// One sendmsg takes at most this many pieces (asio's own bound is 64) and bytes.
constexpr size_t kGatherPieces = 60;
constexpr size_t kGatherBytes = size_t{4} << 20;
// Where this many wait, the peer may as well begin with them while the others are made here.
constexpr size_t kGatherFrames = 8;

}  // namespace

SocketConnection::SocketConnection(Socket socket, Address peer, bool tcp, Clock& clock, Gate& gate,
                                   ConnectionLimits limits, Handler handler)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      tcp_(tcp),
      clock_(clock),
      gate_(gate),
      limits_(limits),
      handler_(std::move(handler)),
      reader_(limits.frame_bytes_max),
      link_(std::make_shared<PeerLink>()),
      room_(clock.executor()) {}

// --- proof -----------------------------------------------------------------------------------

Task<> SocketConnection::prove_as_caller(std::string secret, TimePoint deadline) {
  return prove(true, std::move(secret), deadline);
}

Task<> SocketConnection::prove_as_server(std::string secret, TimePoint deadline) {
  return prove(false, std::move(secret), deadline);
}

void SocketConnection::use_tls(const TlsContext& context, Side side, const std::string& host) {
  tls_ = TlsStream::make(socket_, context, side, host);
}

Task<> SocketConnection::prove(bool caller, std::string secret, TimePoint deadline) {
  auto self = shared_from_this();
  const TimerId timer = clock_.call_at(deadline, [self] {
    self->close(self->tls_ ? "no TLS handshake and proof in time" : "no proof in time");
  });
  Result<> done;
  if (tls_) done = co_await tls_->handshake();
  if (!done.ok()) {
    done =
        fail(Errc::denied, "{}: no TLS: {}", peer_, closed_ ? close_reason_ : done.error().context);
  } else {
    done = co_await exchange(caller, std::move(secret));
  }
  clock_.cancel(timer);
  if (!done.ok()) close(done.error().context);
  co_return done;
}

asio::awaitable<boost::system::error_code, Executor> SocketConnection::send_all(
    asio::const_buffer bytes) {
  if (tls_) co_return co_await tls_->write_all(bytes);
  auto [error, count] = co_await asio::async_write(socket_, bytes, kAwait);
  co_return error;
}

asio::awaitable<boost::system::error_code, Executor> SocketConnection::receive_all(
    asio::mutable_buffer bytes) {
  while (bytes.size() > 0) {
    auto [error, count] =
        tls_ ? co_await tls_->read_some({bytes}) : co_await socket_.async_read_some(bytes, kAwait);
    if (error) co_return error;
    bytes += count;
  }
  co_return boost::system::error_code();
}

Task<> SocketConnection::exchange(bool caller, std::string secret) {
  auto lost = [this](const boost::system::error_code& error) {
    return fail(Errc::denied, "{}: connection closed during the proof of the array secret: {}",
                peer_,
                closed_ ? close_reason_
                : tls_  ? tls_->text(error)
                        : error.message());
  };
  const std::string channel = tls_ ? tls_->channel_binding() : "";
  Nonce mine = fresh_nonce();
  Nonce theirs{};
  Proof proof{};
  if (caller) {
    const Hello hello = encode_hello(mine);
    if (auto error = co_await send_all(asio::buffer(hello))) co_return lost(error);
    if (auto error = co_await receive_all(asio::buffer(theirs))) {
      Error met = lost(error).error();
      // What a listener with TLS does to a caller without.
      if (tcp_ && !tls_ && !closed_) met.context += "; if it has a section [tls], so must this one";
      co_return fail(std::move(met));
    }
    proof = make_proof(secret, Side::caller, mine, theirs, channel);
    if (auto late = co_await send_all(asio::buffer(proof))) co_return lost(late);
  } else {
    Hello hello{};
    if (auto error = co_await receive_all(asio::buffer(hello))) co_return lost(error);
    if (Result<Nonce> nonce = decode_hello(hello); nonce.ok()) {
      theirs = *nonce;
    } else {
      co_return fail(Errc::denied, "{}: {}", peer_, nonce.error().context);
    }
    if (auto error = co_await send_all(asio::buffer(mine))) co_return lost(error);
  }
  // The caller proves first: a stranger learns nothing that depends on the secret.
  Proof received{};
  if (auto error = co_await receive_all(asio::buffer(received))) co_return lost(error);
  const Side expected_side = caller ? Side::server : Side::caller;
  const Proof expected =
      make_proof(secret, expected_side, caller ? mine : theirs, caller ? theirs : mine, channel);
  if (!proofs_equal(received, expected)) {
    co_return fail(Errc::denied, "{} does not hold this array's secret{}", peer_,
                   tls_ ? ", or somebody stands between" : "");
  }
  if (!caller) {
    proof = make_proof(secret, Side::server, theirs, mine, channel);
    if (auto error = co_await send_all(asio::buffer(proof))) co_return lost(error);
  }
  co_return Result<>{};
}

// --- reading ---------------------------------------------------------------------------------

bool SocketConnection::crowded() const {
  return serving_ >= limits_.calls_in_flight_max ||
         serving_bytes_ + queued_bytes_ >= limits_.bytes_in_flight_max;
}

Task<> SocketConnection::run() {
  auto self = shared_from_this();
  while (!closed_) {
    while (handler_ && crowded() && !closed_) CO_TRY(co_await room_.wait());
    if (closed_) break;
    const FrameReader::Targets targets = reader_.prepare();
    std::array<asio::mutable_buffer, 3> buffers;
    for (size_t i = 0; i < targets.size(); ++i) {
      buffers[i] = asio::buffer(targets[i].data(), targets[i].size());
    }
    auto [error, count] = tls_ ? co_await tls_->read_some(buffers)
                               : co_await socket_.async_read_some(buffers, kAwait);
    if (error) {
      close(error == asio::error::eof ? "closed by the peer" : error.message());
      break;
    }
    reader_.commit(count);
    if (Result<> taken = take_frames(); !taken.ok()) {
      log::error("connection to {}: {}; closing it", peer_, taken.error().text());
      close(taken.error().context);
    }
  }
  co_return Result<>{};
}

Result<> SocketConnection::take_frames() {
  while (!closed_) {
    std::optional<Frame> frame = TRY(reader_.next());
    if (!frame) break;
    const bool reply = (frame->header.flags & kFrameReply) != 0;
    if (!reply && !handler_) return fail(Errc::invalid, "a request came on a caller's connection");
    if (reply) {
      take_reply(std::move(*frame));
    } else {
      take_request(std::move(*frame));
    }
  }
  return {};
}

void SocketConnection::take_reply(Frame frame) {
  const auto found = pending_.find(frame.header.call);
  if (found == pending_.end()) return;  // its caller has stopped waiting
  OneShot<Reply> waiter = found->second.reply;
  pending_.erase(found);
  room_.notify_all();
  if ((frame.header.flags & kFrameError) != 0) {
    waiter.set(fail(decode_error(frame.body)));
  } else {
    waiter.set(Reply{std::move(frame.body), std::move(frame.payload)});
  }
}

void SocketConnection::take_request(Frame frame) {
  ++serving_;
  serving_bytes_ += frame.body.size() + frame.payload.size();
  if (gate_.closing()) return close("the server is stopping");
  gate_.spawn("request", serve(shared_from_this(), std::move(frame)));
}

Task<> SocketConnection::serve(std::shared_ptr<SocketConnection> self, Frame frame) {
  const size_t bytes = frame.body.size() + frame.payload.size();
  FrameHeader header;
  header.flags = kFrameReply;
  header.type = frame.header.type;
  header.call = frame.header.call;
  header.id = frame.header.id;
  Request request;
  request.type = frame.header.type;
  request.id = frame.header.id;
  request.age_ms = frame.header.age_ms;
  request.epoch = frame.header.epoch;
  request.body = std::move(frame.body);
  request.payload = std::move(frame.payload);
  request.link = self->link_;
  Result<Reply> reply = co_await self->handler_(std::move(request));
  if (reply.ok() && reply->body.size() + reply->payload.size() > self->limits_.frame_bytes_max) {
    reply = fail(Errc::too_large, "reply of {} + {} bytes is larger than a frame",
                 reply->body.size(), reply->payload.size());
  }
  --self->serving_;
  self->serving_bytes_ -= bytes;
  if (!self->closed_) {
    if (!reply.ok()) {
      header.flags |= kFrameError;
      self->enqueue(header, encode_error(reply.error()), {});
    } else {
      self->enqueue(header, std::move(reply->body), std::move(reply->payload));
    }
  }
  self->room_.notify_all();
  co_return Result<>{};
}

// --- calls -----------------------------------------------------------------------------------

Error SocketConnection::end_of_call(bool sent) const {
  if (!sent) {
    return {Errc::unavailable,
            fmt::format("{}: not sent: {}", peer_, closed_ ? close_reason_ : "deadline passed")};
  }
  return {Errc::timeout, fmt::format("{}: {}; the outcome is not known", peer_,
                                     closed_ ? "connection lost: " + close_reason_
                                             : std::string("no answer before the deadline"))};
}

Task<> SocketConnection::wait_for_room(TimePoint deadline) {
  auto full = [this] {
    return pending_.size() >= limits_.calls_in_flight_max ||
           queued_bytes_ >= limits_.bytes_in_flight_max;
  };
  if (closed_) co_return fail(end_of_call(false));
  if (!full()) co_return Result<>{};
  auto self = shared_from_this();
  const TimerId timer = clock_.call_at(deadline, [self] { self->room_.notify_all(); });
  while (!closed_ && full() && clock_.now() < deadline) CO_TRY(co_await room_.wait());
  clock_.cancel(timer);
  if (closed_ || full()) co_return fail(end_of_call(false));
  co_return Result<>{};
}

Task<Reply> SocketConnection::call(Request request, TimePoint deadline) {
  auto self = shared_from_this();
  if (request.body.size() + request.payload.size() > limits_.frame_bytes_max) {
    co_return fail(Errc::too_large, "request of {} + {} bytes is larger than a frame",
                   request.body.size(), request.payload.size());
  }
  CO_TRY(co_await wait_for_room(deadline));
  FrameHeader header;
  header.type = request.type;
  header.call = next_call_++;
  header.id = request.id;
  header.age_ms = request.age_ms;
  header.epoch = request.epoch;
  const auto place = pending_.emplace(header.call, Pending{OneShot<Reply>(clock_.executor())});
  OneShot<Reply> waiter = place.first->second.reply;
  enqueue(header, std::move(request.body), std::move(request.payload));
  Result<Reply> reply = co_await waiter.wait_until(clock_, deadline);
  // Still pending: neither a reply nor the end of the connection came, so it was the deadline.
  if (const auto left = pending_.find(header.call); left != pending_.end()) {
    reply = fail(end_of_call(left->second.sent));
    pending_.erase(left);
    room_.notify_all();
  }
  co_return reply;
}

// --- writing ---------------------------------------------------------------------------------

void SocketConnection::enqueue(FrameHeader header, std::string body, Buffer payload) {
  if (closed_) return;
  Outgoing frame;
  frame.header = encode_header(header, body, payload.view(), tcp_ && !tls_);
  frame.body = std::move(body);
  frame.payload = std::move(payload);
  frame.call = (header.flags & kFrameReply) != 0 ? 0 : header.call;
  queued_bytes_ += frame.bytes();
  queue_.push_back(std::move(frame));
  if (!writing_) {
    writing_ = gathering_ = true;
    // Posted, so that what else is queued in this turn of the reactor goes into the same call.
    asio::post(clock_.executor(), [self = shared_from_this()] {
      if (std::exchange(self->gathering_, false)) self->write_more();
    });
  } else if (gathering_ && queue_.size() >= kGatherFrames && header.id == RequestId{}) {
    // Not for mutations: what comes together shares one flush of the journal.
    gathering_ = false;
    write_more();
  }
}

void SocketConnection::drop_abandoned() {
  // The front may be half sent; requests behind it whose callers have left never go out.
  while (!queue_.empty() && front_written_ == 0 && queue_.front().call != 0 &&
         !pending_.contains(queue_.front().call)) {
    queued_bytes_ -= queue_.front().bytes();
    queue_.pop_front();
  }
}

void SocketConnection::write_more() {
  drop_abandoned();
  if (closed_ || queue_.empty()) {
    writing_ = false;
    return;
  }
  gather_.clear();
  const size_t gather_bytes_max = tls_ ? TlsStream::kRecordBytes : kGatherBytes;
  size_t skip = front_written_, bytes = 0;
  auto add = [&](const void* data, size_t size) {
    const size_t skipped = std::min(skip, size);
    skip -= skipped;
    if (size == skipped) return;
    gather_.emplace_back(static_cast<const std::byte*>(data) + skipped, size - skipped);
    bytes += size - skipped;
  };
  for (Outgoing& frame : queue_) {
    if (gather_.size() + 3 > kGatherPieces || bytes >= gather_bytes_max) break;
    if (frame.call != 0) {
      const auto found = pending_.find(frame.call);
      if (found != pending_.end()) {
        found->second.sent = true;
      } else if (&frame != &queue_.front()) {
        break;  // abandoned: dropped when it is at the front
      }
    }
    add(frame.header.data(), frame.header.size());
    add(frame.body.data(), frame.body.size());
    add(frame.payload.data(), frame.payload.size());
  }
  auto done = [self = shared_from_this()](const boost::system::error_code& error, size_t count) {
    self->written(count);
    if (error) {
      self->close(error.message());
      self->writing_ = false;
      return;
    }
    self->write_more();
  };
  if (tls_) {
    tls_->write_some(gather_, std::move(done));
  } else {
    socket_.async_write_some(gather_, std::move(done));
  }
}

void SocketConnection::written(size_t count) {
  front_written_ += count;
  while (!queue_.empty() && front_written_ >= queue_.front().bytes()) {
    front_written_ -= queue_.front().bytes();
    queued_bytes_ -= queue_.front().bytes();
    queue_.pop_front();
  }
  room_.notify_all();
}

void SocketConnection::close(std::string_view reason) {
  if (closed_) return;
  closed_ = true;
  close_reason_ = reason;
  boost::system::error_code ignored;
  socket_.close(ignored);
  auto pending = std::exchange(pending_, {});
  for (auto& [call, entry] : pending) entry.reply.set(fail(end_of_call(entry.sent)));
  if (!writing_) queue_.clear();
  link_->lose();
  room_.notify_all();
}

}  // namespace turbine::rpc
