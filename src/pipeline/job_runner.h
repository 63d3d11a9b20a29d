#pragma once

#include <memory>

#include "core/civil_time.h"
#include "core/result.h"
#include "pipeline/engine.h"
#include "pipeline/job_service.h"

namespace tillcast::pipeline {

/// The jobs of a running server: their store, the uploads, and one thread that works on them, one at a time,
/// with a lower priority than the requests that are answered meanwhile.
class JobRunner : public JobService {
 public:
  /// Opens the stores, takes up what the last server left (see JobStore::recover) and starts the worker and
  /// the schedule of `forecast.retrain`. Engine and clock must outlive it.
  static Result<std::unique_ptr<JobRunner>> start(Engine& engine, const Clock& clock);

  /// Fires what the schedule has due at the clock's now; the schedule's thread calls it every second. A
  /// training missed while no server ran is made up once. No-op without a schedule.
  virtual Result<> tick() = 0;

  /// Stops the worker in good order: a running job goes back to the queue and is taken up by the next server.
  /// Blocks until its next safe point; may be called again.
  virtual void stop() = 0;
};

}  // namespace tillcast::pipeline
