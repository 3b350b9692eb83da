// One client connection: ONC RPC over TCP, many calls at a time.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <span>

#include "base/async.hpp"
#include "nfs/procedure.hpp"

namespace turbine::nfs {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

struct RpcLimits {
  RecordLimits record;
  size_t connections_max = 10'240;
  size_t calls_max = 64;                                   // in flight, of one connection
  size_t connection_bytes_max = size_t{16} << 20;          // large arguments and replies in flight
  size_t server_bytes_max = size_t{256} << 20;             // the same, of all connections
  Duration record_time = std::chrono::seconds(60);         // from a record's first byte to its last
  Duration record_time_pressed = std::chrono::seconds(5);  // while a quarter of the memory is left
  Duration send_time = std::chrono::seconds(60);           // without any progress
  Duration send_time_pressed = std::chrono::seconds(5);    // while a quarter of the memory is left
  Duration idle_time = std::chrono::minutes(10);           // without any call
  Duration greeting_time = std::chrono::seconds(5);        // the same, of who has only called NULL
  Duration sleep_max = std::chrono::seconds(10);  // of this process, see RpcServerState::slept
};

/// What connections of one server share.
struct RpcServerState {
  Environment& env;
  const RpcLimits& limits;
  std::span<const Program* const> programs;
  Gate& gate;
  Semaphore& memory;       // bytes
  TimePoint last_check{};  // when connections were looked at, which is every second

  /// This process did not run for a while. Calls that lie unread since then may be older than the
  /// array's memory of what it has executed: their clients have asked others meanwhile, and would
  /// see the copies executed again. So connections are cut; who still waits asks again.
  bool slept(TimePoint now) const { return now - last_check > limits.sleep_max; }
  bool pressed() const { return memory.available() < limits.server_bytes_max / 4; }
};

/// From accept to close. One coroutine reads; every call runs in its own; replies of calls that end
/// in one turn of the reactor leave with one system call. A call is in flight until its reply is
/// in the socket, so a client that does not read its replies is not read from. One thread.
class Connection final : public ReplySink {
 public:
  Connection(Socket socket, RpcServerState& server);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Serves until either side closes and the last call has ended. Never fails: a broken connection
  /// is not the server's error.
  Task<> run();
  /// No further call is read; those in flight are answered.
  void finish();
  /// Cuts it.
  void abort();
  /// Cuts it if the client is too slow or has gone to sleep. To be called every second or so.
  void check(TimePoint now);

  Task<> reserve(RpcCall& call, size_t bytes) override;
  GatherList& replies() override { return out_; }
  void replied(const RpcCall& call) override;
  void dropped(const RpcCall& call) override;
  void hang_up() override;

 private:
  Task<> read_calls();
  Task<> take_memory(size_t bytes);
  void give_memory(size_t bytes);
  /// False: what came is no call, the connection can't go on.
  bool start_call(Record record);
  void flush();
  void sent(size_t bytes);
  void end_call(size_t reserved);
  bool drained() const { return in_flight_ == 0 && !flush_posted_ && !waiting_writable_; }

  Socket socket_;
  RpcServerState& server_;
  Client client_;
  RecordReader reader_;
  Semaphore memory_;  // this connection's part of the server's

  /// A reply in out_: where it ends, and what goes back when it is sent.
  struct Reply {
    uint64_t end;
    size_t reserved;
  };
  GatherList out_;
  std::deque<Reply> unsent_;
  size_t in_flight_ = 0;
  Event changed_;  // a call has ended, or the connection
  bool finishing_ = false, aborted_ = false;
  bool flush_posted_ = false, waiting_writable_ = false;
  bool greeted_ = false, worked_ = false;  // NULL was called; anything else was
  TimePoint last_call_{}, last_sent_{}, record_since_{};
};

}  // namespace turbine::nfs
