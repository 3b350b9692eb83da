#include "nfs_connection.hpp"

#include <poll.h>

namespace turbine::bench {
namespace {

constexpr auto kWaitMax = std::chrono::seconds(60);

/// What a call's callback leaves for whoever waits.
struct Waiting {
  const NfsConnection::Take* take = nullptr;
  bool done = false;
  Result<> result;
};

void answered(rpc_context* rpc, int status, void* answer, void* context) {
  auto& waiting = *static_cast<Waiting*>(context);
  waiting.done = true;
  if (status != RPC_STATUS_SUCCESS)
    waiting.result = fail(Errc::closed, "{}", rpc_get_error(rpc));
  else if (waiting.take)
    waiting.result = (*waiting.take)(answer);
}

}  // namespace

nfs_fh3 fh_of(const NfsHandle& handle) {
  nfs_fh3 fh{};
  fh.data.data_len = static_cast<u_int>(handle.size());
  fh.data.data_val = const_cast<char*>(handle.data());  // libnfs only reads it
  return fh;
}

diropargs3 where_of(const NfsHandle& directory, const std::string& name) {
  return {fh_of(directory), const_cast<char*>(name.c_str())};
}

NfsHandle handle_of(const nfs_fh3& fh) {
  return {fh.data.data_val, fh.data.data_val + fh.data.data_len};
}

std::string status_name(nfsstat3 status) {
  return nfsstat3_to_str(status);
}

Result<std::unique_ptr<NfsConnection>> NfsConnection::open(const NfsTarget& target, uint16_t port) {
  rpc_context* rpc = rpc_init_context();
  if (!rpc) return fail(Errc::io, "libnfs gives no context");
  std::unique_ptr<NfsConnection> connection(new NfsConnection(rpc));
  rpc_set_uid(rpc, target.uid);
  rpc_set_gid(rpc, target.gid);
  Waiting waiting;
  if (rpc_connect_async(rpc, target.host.c_str(), port, answered, &waiting) != 0)
    return fail(Errc::closed, "{}:{}: {}", target.host, port, rpc_get_error(rpc));
  TRY(connection->wait(waiting.done, fmt::format("{}:{}", target.host, port)));
  if (!waiting.result.ok())
    return fail(Errc::closed, "{}:{}: {}", target.host, port, waiting.result.error().text());
  return connection;
}

NfsConnection::~NfsConnection() {
  rpc_destroy_context(rpc_);
}

Result<> NfsConnection::serve(short events) {
  if (rpc_service(rpc_, events) < 0) return fail(Errc::closed, "{}", rpc_get_error(rpc_));
  return {};
}

Result<> NfsConnection::wait(const bool& done, std::string_view what) {
  const auto deadline = std::chrono::steady_clock::now() + kWaitMax;
  while (!done) {
    pollfd one{fd(), events(), 0};
    if (::poll(&one, 1, 1000) < 0) return fail(Errc::io, "poll: {}", std::strerror(errno));
    TRY(serve(one.revents));
    if (!done && std::chrono::steady_clock::now() > deadline)
      return fail(Errc::timeout, "{}: no answer within {} s", what, kWaitMax.count());
  }
  return {};
}

Result<> NfsConnection::call(std::string_view what, const Send& send, const Take& take) {
  Waiting waiting;
  waiting.take = &take;
  if (send(rpc_, answered, &waiting) != 0)
    return fail(Errc::closed, "{}: {}", what, rpc_get_error(rpc_));
  TRY(wait(waiting.done, what));
  if (!waiting.result.ok())
    return fail(waiting.result.error().code, "{}: {}", what, waiting.result.error().text());
  return {};
}

}  // namespace turbine::bench
