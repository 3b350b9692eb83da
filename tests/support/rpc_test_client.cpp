#include "support/rpc_test_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace turbine::test {

Task<> RpcTestClient::connect(uint16_t port) {
  auto [error] = co_await socket_.async_connect({asio::ip::make_address("127.0.0.1"), port},
                                                asio::as_tuple(UseAwaitable{}));
  if (error) co_return fail(Errc::io, "connect: {}", error.message());
  co_return Result<>{};
}

Task<> RpcTestClient::send(std::string bytes) {
  auto [error, count] =
      co_await asio::async_write(socket_, asio::buffer(bytes), asio::as_tuple(UseAwaitable{}));
  if (error) co_return fail(Errc::closed, "send: {}", error.message());
  co_return Result<>{};
}

Task<RawReply> RpcTestClient::receive() {
  const std::string mark = CO_TRY(co_await read(4));
  RawReply reply;
  reply.record = Buffer::copy_of(
      std::string_view(CO_TRY(co_await read(load_be<uint32_t>(mark.data()) & 0x7FFFFFFFU))));
  nfs::XdrReader reader(reply.record);
  reply.good = nfs::read_reply(reader, reply.header);
  reply.results = as_text(reader.rest());
  co_return reply;
}

Task<std::string> RpcTestClient::read(size_t size) {
  std::string bytes(size, '\0');
  auto [error, count] =
      co_await asio::async_read(socket_, asio::buffer(bytes), asio::as_tuple(UseAwaitable{}));
  if (error) co_return fail(Errc::closed, "receive: {}", error.message());
  co_return bytes;
}

}  // namespace turbine::test
