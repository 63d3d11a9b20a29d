#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tillcast::api {

/// Finished answers of one data version, by request target: the same question is computed once per version.
/// Bounded by bytes, least recently used first out; a new version empties it. Thread-safe.
class AnswerCache {
 public:
  struct Entry {
    std::string target;
    std::string body;
    std::string link;
  };

  explicit AnswerCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Null when it is not there.
  std::shared_ptr<const Entry> find(std::string_view version, std::string_view target);
  /// Keeps `entry` when `version` is still the current one. An entry may take at most an eighth of the room.
  void keep(std::string_view version, std::shared_ptr<const Entry> entry);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Order = std::list<std::shared_ptr<const Entry>>;  // most recently used first
  static std::size_t bytes_of(const Entry& entry) {
    return entry.target.size() + entry.body.size() + entry.link.size() + 256;
  }
  void turn_to(std::string_view version);

  std::mutex mutex_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::string version_;
  Order order_;
  std::unordered_map<std::string_view, Order::iterator, Hash, std::equal_to<>>
      by_target_;  // keys point into entries
};

}  // namespace tillcast::api
