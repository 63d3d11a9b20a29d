#pragma once

#include <cstddef>

namespace tillcast::api {

// What HTTP and gRPC accept alike. Lengths are characters, not bytes (characters() of core/text.h).

constexpr std::size_t kIdLengthMax = 500;    ///< id of a series
constexpr std::size_t kNameLengthMax = 200;  ///< names to filter by: plan, store, product, country; search
constexpr std::size_t kAttributeLengthMax = 200;  ///< value of an attribute
constexpr std::size_t kCursorLengthMax = 500;
constexpr int kPageMax = 1000;
constexpr int kPageDefault = 50;
constexpr int kHistoryMax = 100'000;  ///< periods of the past

}  // namespace tillcast::api
