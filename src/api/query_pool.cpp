#include "api/query_pool.h"

namespace tillcast::api {

QueryPool::QueryPool(std::size_t threads, std::size_t queued_max) : queued_max_(queued_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

QueryPool::~QueryPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  filled_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool QueryPool::submit(Task& task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    // Threads that wait take their task at once, so only tasks beyond them count as queued.
    if (stopping_ || queue_.size() >= queued_max_ + idle_) return false;
    queue_.push_back(std::move(task));
    wake = idle_ > 0;
  }
  if (wake) filled_.notify_one();
  return true;
}

void QueryPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (queue_.empty() && !stopping_) {
      ++idle_;
      filled_.wait(lock);
      --idle_;
    }
    if (queue_.empty()) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace tillcast::api
