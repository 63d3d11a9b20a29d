#pragma once

#include <span>

#include "forecast/model.h"

namespace tillcast::forecast {

/// Methods for demand with many zeros. All give one flat rate per period (>= 0); masked periods are left out,
/// negative values count as no demand. No demand at all gives 0. Pure, thread-safe.

enum class CrostonKind {
  kClassic,  ///< Croston 1972, Oper. Res. Q. 23(3): size over interval, each smoothed
  kSba,      ///< Syntetos & Boylan 2005, Int. J. Forecasting 21(2): less the bias, times 1 - alpha/2
};
/// @param alpha  smoothing weight of sizes and intervals, 0 < alpha <= 1
double croston(const History& history, CrostonKind kind, double alpha);

/// Teunter, Syntetos & Babai 2011, Eur. J. Oper. Res. 214(3): smooths the probability of demand in every
/// period, so that a dying item fades out.
double tsb(const History& history, double alpha_size, double alpha_probability);

/// Nikolopoulos et al. 2011, J. Oper. Res. Soc. 62(3): sums over blocks as long as the mean interval between
/// demands, smooths these (SES, weight optimised), divides by the block's length.
double adida(const History& history);

/// Petropoulos & Kourentzes 2015, J. Oper. Res. Soc. 66(6): ADIDA's mean over all block lengths from 1 to the
/// mean interval.
double imapa(const History& history);

/// Mean interval between demands and squared coefficient of variation of their sizes, and the class they
/// give.
struct DemandProfile {
  DemandClass demand_class = DemandClass::kNone;
  double mean_interval = 0;      ///< ADI in periods, >= 1
  double squared_variation = 0;  ///< CV² of the sizes
  std::size_t demands = 0;       ///< periods with demand
};
DemandProfile classify(const History& history);

/// The SES forecast of `values` with its weight by least squares in [0.1, 0.3] (start: the first value), the
/// range in use for intermittent demand.
double ses_for_intermittent(std::span<const double> values);

}  // namespace tillcast::forecast
