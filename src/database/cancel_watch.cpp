#include "database/cancel_watch.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "database/duck_internal.h"

namespace tillcast::database {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(100);

}  // namespace

void WatchedConnections::add(duckdb_connection connection) {
  const std::lock_guard lock(mutex_);
  connections_.push_back(connection);
}

void WatchedConnections::remove(duckdb_connection connection) {
  const std::lock_guard lock(mutex_);
  std::erase(connections_, connection);
}

void WatchedConnections::interrupt() {
  fired_ = true;
  const std::lock_guard lock(mutex_);
  for (const auto connection : connections_) duckdb_interrupt(connection);
}

struct CancelWatch::State {
  Connection::State& connection;
  std::shared_ptr<WatchedConnections> watched;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread thread;  // last: joined before the rest goes
};

CancelWatch::CancelWatch(Connection& connection, std::function<bool()> asked)
    : state_(new State{*connection.state_, std::make_shared<WatchedConnections>(), {}, {}, {}}) {
  State& state = *state_;
  state.watched->add(state.connection.handle.get());
  state.connection.watched = state.watched;
  state.thread = std::jthread([&state, asked = std::move(asked)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      // Again and again: an interruption between two statements is lost.
      if (state.watched->fired() || asked()) state.watched->interrupt();
      std::unique_lock lock(state.mutex);
      state.wake.wait_for(lock, stop, kPatience, [] { return false; });
    }
  });
}

CancelWatch::~CancelWatch() { state_->connection.watched.reset(); }

bool CancelWatch::fired() const { return state_->watched->fired(); }

}  // namespace tillcast::database
