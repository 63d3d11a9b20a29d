#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

#include "core/progress.h"

namespace tillcast::forecast {

/// Calls work(i) for i in [0, count) on `threads` threads (0 = one per core), the caller's included: threads
/// take the next index when they are done, so that one slow series holds up nobody. Results are put in their
/// place by index, so they do not depend on the number of threads. Progress is reported from the caller's
/// thread alone. @return false when progress asked to stop; some indices were then left out.
template <class Work>
bool for_each_index(std::size_t count, unsigned threads, Progress& progress, std::size_t done_before,
                    std::size_t total, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;
  const auto take = [&](bool reports) {
    const std::size_t report_every = std::max<std::size_t>(total / 500, 1);
    std::size_t reported = 0;
    try {
      while (!stop.load(std::memory_order_relaxed)) {
        const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
        if (i >= count) break;
        work(i);
        const std::size_t finished = done.fetch_add(1, std::memory_order_relaxed) + 1;
        if (!reports) continue;
        if (finished - reported >= report_every) {
          progress.update(done_before + finished, total);
          reported = finished;
        }
        if (progress.cancelled()) stop = true;
      }
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
      stop = true;
    }
  };
  unsigned wanted = threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  wanted = static_cast<unsigned>(std::min<std::size_t>(wanted, std::max<std::size_t>(count, 1)));
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < wanted; ++i) helpers.emplace_back([&take] { take(false); });
    take(true);
  }
  if (failure) std::rethrow_exception(failure);
  if (stop) return false;
  progress.update(done_before + count, total);
  return true;
}

}  // namespace tillcast::forecast
