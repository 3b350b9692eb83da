#include "io/blocking_pool.hpp"

namespace turbine::io {

BlockingPool::BlockingPool(Executor executor, size_t threads_max)
    : executor_(executor), threads_max_(threads_max) {}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void BlockingPool::submit(std::move_only_function<void()> job) {
  bool start = false;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    start = jobs_.size() > idle_ && threads_.size() < threads_max_;
  }
  if (start) {
    threads_.emplace_back([this] { work(); });
  } else {
    wake_.notify_one();
  }
}

void BlockingPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace turbine::io
