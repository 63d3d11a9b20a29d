#include "api/answer_cache.h"

namespace tillcast::api {

void AnswerCache::turn_to(std::string_view version) {
  if (version_ == version) return;
  version_ = version;
  by_target_.clear();
  order_.clear();
  bytes_ = 0;
}

std::shared_ptr<const AnswerCache::Entry> AnswerCache::find(std::string_view version,
                                                            std::string_view target) {
  const std::lock_guard lock(mutex_);
  turn_to(version);
  const auto found = by_target_.find(target);
  if (found == by_target_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return order_.front();
}

void AnswerCache::keep(std::string_view version, std::shared_ptr<const Entry> entry) {
  const std::size_t bytes = bytes_of(*entry);
  if (bytes > bytes_max_ / 8) return;
  const std::lock_guard lock(mutex_);
  // An answer that was computed while a run ended belongs to no version for sure.
  if (version_ != version || by_target_.contains(entry->target)) return;
  order_.push_front(std::move(entry));
  by_target_.emplace(order_.front()->target, order_.begin());
  bytes_ += bytes;
  while (bytes_ > bytes_max_) {
    bytes_ -= bytes_of(*order_.back());
    by_target_.erase(order_.back()->target);
    order_.pop_back();
  }
}

}  // namespace tillcast::api
