#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "forecast/checkpoint.h"
#include "pipeline/engine.h"
#include "pipeline/plan_series.h"

namespace tillcast::pipeline {

/// Where trainings of all plans keep their steps: `<data>/runs/checkpoints`. May be deleted at any time.
std::filesystem::path checkpoint_folder(const Workspace& workspace);

/// The steps of one training of a plan as files, `<folder>/<plan>/<key>/<step>`, durable one by one. The key
/// is a hash of all that the steps depend on: plan, options, data and the program itself. Touches nothing
/// before the first step is asked for; then it removes what trainings of the plan with another key left.
class FileCheckpoint final : public forecast::Checkpoint {
 public:
  /// Borrows data and observer. @param fit_id  of fit_ids()
  FileCheckpoint(const std::filesystem::path& folder, std::string plan, std::string fit_id,
                 const PlanSeries& data, StageObserver& observer);

  std::optional<std::string> find(const std::string& step) override;
  /// The first failure (no room, say) is noted, and nothing more is kept.
  void keep(const std::string& step, std::string_view bytes) override;
  void resumed(std::size_t found, std::size_t series) override;
  /// The training has its version: all of the plan's steps go.
  void remove() const;

 private:
  void begin();

  std::filesystem::path plan_folder_;
  std::string plan_;
  std::string fit_id_;
  const PlanSeries& data_;
  StageObserver& observer_;
  std::filesystem::path steps_;  ///< empty before begin()
  bool gave_up_ = false;
};

}  // namespace tillcast::pipeline
