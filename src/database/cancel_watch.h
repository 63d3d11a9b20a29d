#pragma once

#include <functional>
#include <memory>

#include "database/database.h"

namespace tillcast::database {

/// Stops what runs on a connection when somebody asks for it: while this lives, a thread calls `asked` ten
/// times a second, and once it says true, every statement of the connection, and of the streams it makes
/// meanwhile, ends with kCancelled. End it before COMMIT or ROLLBACK, which must not be stopped half-way; the
/// connection is good afterwards. One at a time per connection, which must outlive it.
class CancelWatch {
 public:
  /// @param asked  called from the watch's own thread
  CancelWatch(Connection& connection, std::function<bool()> asked);
  ~CancelWatch();
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;
  /// True once something was stopped, or would have been.
  bool fired() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tillcast::database
