// Client::Connection: the thread and the parts of an array's client.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/task.hpp"
#include "cluster/map_client.hpp"
#include "fs/file_system.hpp"
#include "io/reactor.hpp"
#include "turbine/client.hpp"

namespace turbine::client {

/// start() once, then call() from any thread. All else lives on the thread of its own. Nothing here
/// is on disk; what the array makes durable is durable when call() returns.
class Client::Connection {
 public:
  Connection(const Endpoint& endpoint, const ConnectOptions& options, rpc::TlsContextPtr tls);
  /// Stops what start() began; no call() may be under way.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Registers with the manager and opens the sessions. Errc::denied, Errc::unavailable.
  turbine::Result<> start();

  /// Runs the coroutine that `make` returns on the own thread and waits for its end. What `make`
  /// refers to must last until then.
  template <class T>
  turbine::Result<T> call(std::function<Task<T>()> make) {
    return begin(std::move(make)).get();
  }

  // For coroutines on the own thread.
  fs::FileSystem& files() { return *files_; }
  /// A call that acts as root.
  fs::CallContext context() { return files_->begin(root_user_); }

 private:
  template <class T>
  std::future<turbine::Result<T>> begin(std::function<Task<T>()> make) {
    auto promise = std::make_shared<std::promise<turbine::Result<T>>>();
    asio::co_spawn(reactor_.executor(), std::move(make),
                   [promise](std::exception_ptr error, turbine::Result<T> result) {
                     if (error) {
                       promise->set_exception(std::move(error));
                     } else {
                       promise->set_value(std::move(result));
                     }
                   });
    return promise->get_future();
  }
  Task<> open();
  Task<> close();

  const Endpoint endpoint_;
  const ConnectOptions options_;
  io::Reactor reactor_;
  std::unique_ptr<rpc::Transport> transport_;
  cluster::MapHolder map_;
  std::optional<cluster::MapClient> map_client_;
  std::unique_ptr<fs::ArrayFileSystem> files_;
  uint64_t root_user_ = 0;
  std::thread thread_;
};

}  // namespace turbine::client
