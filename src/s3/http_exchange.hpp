// What a handler sees of one HTTP exchange. No socket, no Beast: operations and tests include this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "base/task.hpp"
#include "s3/http_head.hpp"

namespace turbine::s3 {

/// The body of a request without its HTTP framing.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// The next bytes; empty at the end, and then for ever. Storage starts on a page where the body
  /// came with a Content-Length. The first call sends `100 Continue` when the client waits for it.
  /// Errc::invalid: broken framing, closed: the client went away, timeout: it was too slow. After
  /// an error the connection is closed behind the answer.
  virtual Task<Buffer> next() = 0;
  /// Whether all of it was taken; otherwise the connection is closed behind the answer.
  virtual bool finished() const = 0;
};

struct ResponseHead {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields;

  void add(std::string_view name, std::string_view value) { fields.emplace_back(name, value); }
};

/// The way of an answer to the client. Exactly one send() or start() per exchange.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  /// The whole answer at once; adds Content-Length. For HEAD the body is counted and not sent.
  virtual Task<> send(ResponseHead head, std::string body) = 0;
  /// An answer of which `length` bytes follow by write(). The head leaves with the first of them.
  virtual Task<> start(ResponseHead head, uint64_t length) = 0;
  /// Sends without copying; returns when the socket has taken all. Errc::closed: client gone.
  virtual Task<> write(std::vector<Buffer> data) = 0;
  /// Whether a head was given: then an error can only be shown by cutting the connection.
  virtual bool started() const = 0;
};

}  // namespace turbine::s3
