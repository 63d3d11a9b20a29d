#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

// Random numbers and functions that give the same bits everywhere. The standard distributions differ between
// libraries, and libm's last digit between versions, so the generator uses only IEEE + - * / sqrt floor, and
// is compiled without contraction into fused multiply-add (src/sources/CMakeLists.txt).
namespace tillcast::sources::deterministic {

constexpr std::uint64_t mix(std::uint64_t x) {  // splitmix64's finaliser (Steele, Lea, Flood 2014)
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A hash of up to three counters: random decisions that need no state and no order.
constexpr std::uint64_t hash(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;
  std::uint64_t x = mix(seed + kGolden * (a + 1));
  x = mix(x + kGolden * (b + 1));
  return mix(x + kGolden * (c + 1));
}

/// 53 random bits in [0, 1).
constexpr double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

/// splitmix64 as a stream.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }
  double uniform() { return unit(next()); }
  /// 0 .. bound-1; bound in 1..2^32.
  std::uint32_t below(std::uint64_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

 private:
  std::uint64_t state_;
};

/// e^x within a few units in the last place for |x| < 700.
inline double exp(double x) {
  const double k = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10;
  double sum = 1.0 / 39916800.0;
  for (const double inverse_factorial : {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
                                         1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0})
    sum = sum * r + inverse_factorial;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023) << 52);
}

/// Natural logarithm of a positive normal number.
inline double log(double x) {
  std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double sum = 0.0;
  for (int term = 21; term >= 1; term -= 2) sum = sum * square + 1.0 / term;
  return 2.0 * s * sum + static_cast<double>(exponent) * 0.6931471805599453;
}

inline double power(double base, double exponent) { return exp(exponent * log(base)); }

/// sin(2 pi turns)
inline double sin_turns(double turns) {
  turns -= std::floor(turns + 0.5);
  if (turns > 0.25) turns = 0.5 - turns;
  if (turns < -0.25) turns = -0.5 - turns;
  const double x = turns * 6.283185307179586;
  const double square = x * x;
  double sum = 1.0;
  for (int n = 18; n >= 2; n -= 2) sum = 1.0 - sum * square / (n * (n + 1.0));
  return x * sum;
}

/// Quantile of the standard normal distribution, 0 < p < 1 (Acklam 2003, relative error 1.2e-9).
inline double normal_quantile(double p) {
  constexpr std::array a = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                            1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr std::array b = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                            6.680131188771972e+01, -1.328068155288572e+01};
  constexpr std::array c = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                            -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr std::array d = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                            3.754408661907416e+00};
  const auto tail = [&](double q) {
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1.0);
  };
  if (p < 0.02425) return tail(std::sqrt(-2.0 * log(p)));
  if (p > 1.0 - 0.02425) return -tail(std::sqrt(-2.0 * log(1.0 - p)));
  const double q = p - 0.5;
  const double r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1.0);
}

/// A log-normal law of 256 equally likely values whose mean is 1: a random factor that leaves means as they
/// are.
class UnitMeanFactors {
 public:
  explicit UnitMeanFactors(double sigma) {
    double sum = 0.0;
    for (int i = 0; i < 256; ++i) sum += values_[i] = exp(sigma * normal_quantile((i + 0.5) / 256.0));
    for (double& value : values_) value *= 256.0 / sum;
  }
  /// Uses the top eight bits.
  double at(std::uint64_t bits) const { return values_[bits >> 56]; }

 private:
  std::array<double, 256> values_{};
};

/// Poisson by inversion; a large mean is the sum of smaller ones, so the cost grows with the mean.
inline int poisson(Random& random, double mean) {
  int total = 0;
  while (mean > 0.0) {
    const double part = mean > 8.0 ? 8.0 : mean;
    mean -= part;
    double probability = exp(-part);
    double left = random.uniform() - probability;
    for (int k = 1; left >= 0.0 && k < 200; ++k) {
      probability *= part / k;
      left -= probability;
      ++total;
    }
  }
  return total;
}

}  // namespace tillcast::sources::deterministic
