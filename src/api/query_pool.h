#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tillcast::api {

/// A fixed number of threads and a bounded queue in front of them, so that a burst of slow queries can
/// neither stall the event loop nor pile up without end.
class QueryPool {
 public:
  using Task = std::move_only_function<void()>;

  QueryPool(std::size_t threads, std::size_t queued_max);
  ~QueryPool();  ///< runs what is queued, then joins
  QueryPool(const QueryPool&) = delete;
  QueryPool& operator=(const QueryPool&) = delete;

  /// @return false, and `task` untouched, when the queue is full. Thread-safe.
  bool submit(Task& task);

 private:
  void work();
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Task> queue_;
  std::size_t queued_max_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tillcast::api
