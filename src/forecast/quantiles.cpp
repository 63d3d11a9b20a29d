#include "forecast/quantiles.h"

#include <algorithm>

#include "core/check.h"

namespace tillcast::forecast {

const char* find_share_fault(std::span<const double> shares) {
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!(shares[i] > 0 && shares[i] < 1)) return "shares of quantiles must be above 0 and below 1";
    if (i > 0 && !(shares[i] > shares[i - 1])) return "shares of quantiles must increase";
  }
  return "";
}

void rearrange(std::span<double> quantiles) { std::ranges::sort(quantiles); }

double interpolate_quantile(std::span<const double> shares, std::span<const float> quantiles, double share) {
  TILLCAST_CHECK(!shares.empty() && shares.size() == quantiles.size(), "quantiles without their shares");
  const auto after = static_cast<std::size_t>(std::ranges::lower_bound(shares, share) - shares.begin());
  if (after == 0) return static_cast<double>(quantiles.front());
  if (after == shares.size()) return static_cast<double>(quantiles.back());
  const double part = (share - shares[after - 1]) / (shares[after] - shares[after - 1]);
  const auto low = static_cast<double>(quantiles[after - 1]);
  return low + part * (static_cast<double>(quantiles[after]) - low);
}

}  // namespace tillcast::forecast
