#include <algorithm>
#include <cmath>

#include "forecast/log_growth_internal.h"

namespace tillcast::forecast {

std::optional<double> log_growth(std::span<const ActualAndExpected> blocks, double block_years,
                                 std::size_t blocks_min) {
  constexpr double kGrowthMax = 0.5;
  double n = 0, st = 0, sr = 0, stt = 0, str = 0;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    if (blocks[block].actual <= 0 || blocks[block].expected <= 0) continue;
    const double t = -(static_cast<double>(block) + 0.5) * block_years;
    const double ratio = std::log(blocks[block].actual / blocks[block].expected);
    n += 1;
    st += t;
    sr += ratio;
    stt += t * t;
    str += t * ratio;
  }
  if (n < static_cast<double>(std::max<std::size_t>(blocks_min, 2))) return std::nullopt;
  const double spread = stt - st * st / n;
  return std::clamp((str - st * sr / n) / spread, -kGrowthMax, kGrowthMax);
}

}  // namespace tillcast::forecast
