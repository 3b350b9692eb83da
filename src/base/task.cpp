#include "base/task.hpp"

#include <exception>
#include <string>

#include "base/async.hpp"
#include "base/log.hpp"

namespace turbine {

void Gate::spawn(std::string_view name, Task<> task) {
  if (closing_) return;
  ++count_;
  asio::co_spawn(executor_, std::move(task),
                 [this, name = std::string(name)](std::exception_ptr error, Result<> result) {
                   if (error) {
                     try {
                       std::rethrow_exception(error);
                     } catch (const std::exception& exception) {
                       log::critical("{}: unexpected exception: {}", name, exception.what());
                     }
                     CHECK(!"a coroutine threw");
                   }
                   if (!result.ok() && !result.failed_with(Errc::closed)) {
                     log::warn("{}: {}", name, result.error().text());
                   }
                   leave();
                 });
}

void Gate::leave() {
  CHECK(count_ > 0);
  if (--count_ > 0) return;
  auto waiters = std::move(waiters_);
  waiters_.clear();
  for (auto& wake : waiters) wake();
}

Task<> Gate::close() {
  closing_ = true;
  if (count_ == 0) co_return Result<>{};
  OneShot<> drained(executor_);
  waiters_.emplace_back([drained]() mutable { drained.set({}); });
  co_return co_await drained.wait();
}

}  // namespace turbine
