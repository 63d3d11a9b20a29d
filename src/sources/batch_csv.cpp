#include "sources/batch_csv.h"

#include <cmath>

#include "core/civil_time.h"

namespace tillcast::sources {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

void append_integer(std::string& out, std::uint64_t value, int digits_min = 1) {
  char text[24];
  char* at = text + sizeof text;
  for (int digits = 0; value > 0 || digits < digits_min; value /= 10, ++digits)
    *--at = static_cast<char>('0' + value % 10);
  out.append(at, static_cast<std::size_t>(text + sizeof text - at));
}

/// Units of 10^-scale, with at least `fraction_min` digits after the point.
void append_decimal(std::string& out, std::int64_t units, int scale, int fraction_min) {
  std::uint64_t magnitude = static_cast<std::uint64_t>(units);
  if (units < 0) {
    out.push_back('-');
    magnitude = 0 - magnitude;
  }
  std::uint64_t one = 1;
  for (int i = 0; i < scale; ++i) one *= 10;
  append_integer(out, magnitude / one);
  std::uint64_t fraction = magnitude % one;
  int digits = scale;
  for (; digits > fraction_min && fraction % 10 == 0; fraction /= 10) --digits;
  if (digits == 0) return;
  out.push_back('.');
  append_integer(out, fraction, digits);
}

// Not find_first_of: it searches the set anew for each character, a sixth of the generator's time.
bool needs_quotes(std::string_view text) {
  for (const char c : text)
    if (c == ',' || c == '"' || c == '\n' || c == '\r') return true;
  return false;
}

void append_text(std::string& out, std::string_view text) {
  if (!needs_quotes(text)) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

void BatchCsv::append_day(std::int64_t days) {
  if (cached_day_text_.empty() || days != cached_day_) {
    cached_day_ = days;
    cached_day_text_ = format_date({static_cast<std::int32_t>(days)});
  }
  buffer_ += cached_day_text_;
}

void BatchCsv::append_value(const Column& column, std::size_t row) {
  switch (column.spec.type) {
    case ColumnType::kText:
      append_text(buffer_, column.text[row]);
      return;
    case ColumnType::kBool:
      buffer_ += column.ints[row] != 0 ? "true" : "false";
      return;
    case ColumnType::kInt32:
    case ColumnType::kInt64:
      append_decimal(buffer_, column.ints[row], 0, 0);
      return;
    case ColumnType::kDouble:
      append_decimal(buffer_, std::llround(column.doubles[row] * 1e6), 6, 6);
      return;
    case ColumnType::kDate:
      append_day(column.ints[row]);
      return;
    case ColumnType::kDecimal3:
      append_decimal(buffer_, column.ints[row], 3, 0);
      return;
    case ColumnType::kDecimal4:
      append_decimal(buffer_, column.ints[row], 4, 2);
      return;
    case ColumnType::kTimestamp: {
      const Date day = utc_date({column.ints[row]});
      const std::int64_t micros = column.ints[row] - day.days * kMicrosPerDay;
      const auto second = static_cast<std::uint64_t>(micros / kMicrosPerSecond);
      append_day(day.days);
      buffer_.push_back('T');
      append_integer(buffer_, second / 3600, 2);
      buffer_.push_back(':');
      append_integer(buffer_, second / 60 % 60, 2);
      buffer_.push_back(':');
      append_integer(buffer_, second % 60, 2);
      if (const auto fraction = static_cast<std::uint64_t>(micros % kMicrosPerSecond); fraction != 0) {
        buffer_.push_back('.');
        append_integer(buffer_, fraction, 6);
      }
      buffer_.push_back('Z');
      return;
    }
  }
}

Result<> BatchCsv::add(const ColumnBatch& batch) {
  const std::size_t columns = batch.columns.size();
  if (!has_header_) {
    has_header_ = true;
    for (std::size_t c = 0; c < columns; ++c) {
      if (c > 0) buffer_.push_back(',');
      append_text(buffer_, batch.columns[c].spec.name);
    }
    buffer_.push_back('\n');
  }
  for (std::size_t row = 0; row < batch.rows; ++row) {
    for (std::size_t c = 0; c < columns; ++c) {
      if (c > 0) buffer_.push_back(',');
      if (!batch.columns[c].is_null(row)) append_value(batch.columns[c], row);
    }
    buffer_.push_back('\n');
    if (buffer_.size() >= kPieceBytes) {
      TILLCAST_TRY_PLAIN(write_(buffer_));
      buffer_.clear();
    }
  }
  return {};
}

Result<> BatchCsv::finish() {
  if (buffer_.empty()) return {};
  TILLCAST_TRY_PLAIN(write_(buffer_));
  buffer_.clear();
  return {};
}

}  // namespace tillcast::sources
