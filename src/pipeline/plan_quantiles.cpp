#include "pipeline/plan_quantiles.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "core/text.h"
#include "forecast/quantiles.h"
#include "pipeline/service.h"

namespace tillcast::pipeline {
namespace {

constexpr std::array<double, 5> kAlways = {0.025, 0.1, 0.5, 0.9, 0.975};
constexpr std::size_t kStoredMax = 50;

}  // namespace

Result<std::vector<double>> parse_shares(const std::string& text) {
  std::vector<double> shares;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    const auto first = item.find_first_not_of(' ');
    item = first == std::string::npos ? "" : item.substr(first, item.find_last_not_of(' ') + 1 - first);
    double share = 0;
    const auto parsed = std::from_chars(item.data(), item.data() + item.size(), share);
    if (parsed.ec != std::errc{} || parsed.ptr != item.data() + item.size() ||
        !(share >= kShareMin && share <= kShareMax))
      return invalid_input("expected shares from 0.001 to 0.999 such as 0.1,0.5,0.9, found '" + item + "'");
    shares.push_back(share);
  }
  std::ranges::sort(shares);
  const auto repeated = std::ranges::unique(shares);
  shares.erase(repeated.begin(), repeated.end());
  if (shares.size() > kStoredMax)
    return invalid_input("at most 50 shares, found " + std::to_string(shares.size()));
  return shares;
}

std::vector<double> stored_shares(const ForecastPlan& plan) {
  if (!plan.quantiles)
    return {forecast::kDefaultQuantileShares.begin(), forecast::kDefaultQuantileShares.end()};
  std::vector<double> shares = *plan.quantiles;
  if (shares.empty()) return shares;
  shares.insert(shares.end(), kAlways.begin(), kAlways.end());
  std::ranges::sort(shares);
  const auto repeated = std::ranges::unique(shares);
  shares.erase(repeated.begin(), repeated.end());
  return shares;
}

std::string shares_text(const std::vector<double>& shares) {
  std::string text;
  for (const double share : shares) {
    if (!text.empty()) text += ',';
    append_number(text, share);
  }
  return text;
}

}  // namespace tillcast::pipeline
