#include "retail/value_columns.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/check.h"
#include "core/decimal.h"
#include "core/text.h"

namespace tillcast::retail {
namespace {

constexpr std::array<std::int64_t, 5> kPowersOfTen = {1, 10, 100, 1000, 10'000};

/// How a refused value is quoted in a message.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 60;
  if (text.size() <= kShownMax) return "'" + std::string(text) + "'";
  std::size_t cut = kShownMax;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return "'" + std::string(text.substr(0, cut)) + "…'";
}

/// A whole or plain decimal number of up to 15 digits; the slow path reads everything else.
bool read_plain_number(std::string_view text, int scale, std::int64_t& units) {
  const char* at = text.data();
  const char* const end = at + text.size();
  if (text.size() > 16) return false;
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  if (at == end || !is_ascii_digit(*at)) return false;
  std::int64_t value = 0;
  while (at != end && is_ascii_digit(*at)) value = value * 10 + (*at++ - '0');
  int digits = 0;
  if (at != end) {
    if (*at++ != '.') return false;
    while (at != end && is_ascii_digit(*at) && digits < scale) {
      value = value * 10 + (*at++ - '0');
      ++digits;
    }
    if (at != end || digits == 0) return false;
  }
  // 15 digits before the point would not fit 18 with the fraction.
  if (value >= 100'000'000'000'000) return false;
  value *= kPowersOfTen[static_cast<std::size_t>(scale - digits)];
  units = negative ? -value : value;
  return true;
}

std::optional<bool> read_bool(std::string_view text) {
  if (text.size() == 1) {
    switch (text[0]) {
      case '1':
      case 't':
      case 'T':
      case 'y':
      case 'Y':
        return true;
      case '0':
      case 'f':
      case 'F':
      case 'n':
      case 'N':
        return false;
      default:
        return std::nullopt;
    }
  }
  const auto is_word = [text](std::string_view word) {
    return std::ranges::equal(text, word, [](char a, char b) { return (a | 0x20) == b; });
  };
  if (is_word("true") || is_word("yes")) return true;
  if (is_word("false") || is_word("no")) return false;
  return std::nullopt;
}

std::int64_t floor_days(std::int64_t micros) { return utc_date({micros}).days; }

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

void prepare_column(Column& column, std::size_t rows) {
  if (column.spec.type == ColumnType::kText) {
    column.text.resize(rows);
  } else {
    column.ints.resize(rows);
  }
  column.valid.clear();
}

void set_null(Column& column, std::size_t row) {
  const bool text = column.spec.type == ColumnType::kText;
  if (column.valid.empty()) column.valid.assign(text ? column.text.size() : column.ints.size(), 1);
  column.valid[row] = 0;
  if (text) {
    column.text[row] = {};
  } else {
    column.ints[row] = 0;
  }
}

ValueColumn::ValueColumn(const FieldSpec& field, const ColumnSource& source, std::string header_name,
                         int header_index, char decimal_separator, std::string fallback)
    : field_(&field),
      source_(&source),
      header_name_(std::move(header_name)),
      header_index_(header_index),
      decimal_separator_(decimal_separator),
      fallback_(std::move(fallback)) {
  for (const std::string& format : source.formats) {
    auto parsed = DateFormat::parse(format);
    TILLCAST_CHECK(parsed.has_value(), "the mapping was checked when it was parsed");
    formats_.push_back(std::move(*parsed));
  }
  if (formats_.empty()) formats_.push_back(*DateFormat::parse("ISO"));
  for (const DateFormat& format : formats_)
    expected_formats_ += (expected_formats_.empty() ? "" : " or ") + format.text();
}

bool ValueColumn::is_null_word(std::string_view text) const {
  return std::ranges::find(source_->null_values, text) != source_->null_values.end();
}

void ValueColumn::no_value(std::size_t row, Column& out, Faults& faults) {
  if (field_->value_required) {
    faults.add(row, header_index_, "missing_value", "column " + header_name_ + " is empty");
  }
  set_null(out, row);
}

void ValueColumn::convert(const RecordBatch& records, Column& out, Column* dates, TextArena& arena,
                          Faults& faults) {
  const auto index = static_cast<std::size_t>(header_index_);
  const std::span<const std::string_view> in(records.columns[index]);
  prepare_column(out, records.rows);
  if (index < records.flags.size() && !records.flags[index].empty()) {
    for (std::size_t row = 0; row < records.rows; ++row) {
      if (records.flags[index][row] != CellFlag::kError) continue;
      faults.add(row, header_index_, "bad_value",
                 "column " + header_name_ + " holds the error " + std::string(in[row]));
    }
  }
  switch (field_->type) {
    case FieldType::kText:
    case FieldType::kId:
    case FieldType::kProductId:
      return convert_text(in, out, arena, faults);
    case FieldType::kKind:
      return convert_kinds(in, out, faults);
    case FieldType::kDecimal3:
      return convert_numbers(in, 3, out, faults);
    case FieldType::kDecimal4:
      return convert_numbers(in, 4, out, faults);
    case FieldType::kInteger:
      return convert_numbers(in, 0, out, faults);
    case FieldType::kBool:
      return convert_bools(in, out, faults);
    case FieldType::kDate:
    case FieldType::kInstant:
      return convert_dates(records, out, dates, faults);
  }
}

void ValueColumn::convert_text(std::span<const std::string_view> in, Column& out, TextArena& arena,
                               Faults& faults) {
  const bool id = field_->type != FieldType::kText && source_->trim_decimal;
  const bool upper = field_->type == FieldType::kProductId;
  const bool null_words = !source_->null_values.empty();
  for (std::size_t row = 0; row < in.size(); ++row) {
    std::string_view text = trim(in[row]);
    if (text.empty() || (null_words && is_null_word(text))) {
      if (fallback_.empty()) {
        no_value(row, out, faults);
      } else {
        out.text[row] = fallback_;
      }
      continue;
    }
    if (id && text.size() > 2 && text.ends_with(".0") &&
        std::ranges::all_of(text.substr(0, text.size() - 2), is_ascii_digit)) {
      text.remove_suffix(2);
    }
    if (upper && std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; })) {
      char* const to = arena.allocate(text.size());
      std::ranges::transform(text, to,
                             [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; });
      text = {to, text.size()};
    }
    out.text[row] = text;
  }
}

bool ValueColumn::read_number(std::string_view text, char decimal_separator, int scale, std::int64_t& units,
                              std::string_view& reason) {
  if (decimal_separator == '.' && read_plain_number(text, scale, units)) return true;
  std::array<char, 64> copy;
  if (decimal_separator != '.') {
    if (text.size() > copy.size() || text.find('.') != std::string_view::npos) {
      reason = "bad_number";
      return false;
    }
    std::ranges::replace_copy(text, copy.begin(), decimal_separator, '.');
    text = {copy.data(), text.size()};
  }
  if (const auto parsed = parse_decimal(text, scale)) {
    units = *parsed;
    return true;
  }
  const auto digits = std::ranges::count_if(text, is_ascii_digit);
  const bool numeric = digits > 0 &&
                       std::ranges::all_of(text,
                                           [](char c) {
                                             return is_ascii_digit(c) || c == '.' || c == '-' || c == '+' ||
                                                    c == 'e' || c == 'E';
                                           }) &&
                       std::ranges::count(text, '.') <= 1 && (is_ascii_digit(text[0]) || text.size() > 1) &&
                       text.find_first_of("+-", 1) == std::string_view::npos &&
                       text.find_first_of("eE") == std::string_view::npos;
  reason = numeric ? "number_too_large" : "bad_number";
  return false;
}

void ValueColumn::convert_numbers(std::span<const std::string_view> in, int scale, Column& out,
                                  Faults& faults) {
  for (std::size_t row = 0; row < in.size(); ++row) {
    if (decimal_separator_ == '.' && read_plain_number(in[row], scale, out.ints[row])) [[likely]]
      continue;
    const std::string_view text = trim(in[row]);
    if (text.empty() || is_null_word(text)) {
      no_value(row, out, faults);
      continue;
    }
    std::string_view reason;
    if (scale == 0 && text.find(decimal_separator_) != std::string_view::npos) {
      // Whole numbers that passed through a float column: "263.0".
      std::int64_t units = 0;
      if (read_number(text, decimal_separator_, 3, units, reason) && units % 1000 == 0) {
        out.ints[row] = units / 1000;
        continue;
      }
      reason = "bad_number";
    } else if (read_number(text, decimal_separator_, scale, out.ints[row], reason)) {
      continue;
    }
    faults.add(row, header_index_, reason,
               "column " + header_name_ + ": " + shown(text) +
                   (reason == "bad_number" ? scale == 0 ? " is not a whole number" : " is not a number"
                                           : " has more than 18 digits"));
  }
}

void ValueColumn::convert_bools(std::span<const std::string_view> in, Column& out, Faults& faults) {
  for (std::size_t row = 0; row < in.size(); ++row) {
    const std::string_view text = trim(in[row]);
    if (text.empty() || is_null_word(text)) {
      no_value(row, out, faults);
    } else if (const auto value = read_bool(text)) {
      out.ints[row] = *value ? 1 : 0;
    } else {
      faults.add(row, header_index_, "bad_value",
                 "column " + header_name_ + ": " + shown(text) +
                     " is neither true nor false (1/0, true/false, yes/no)");
    }
  }
}

void ValueColumn::convert_kinds(std::span<const std::string_view> in, Column& out, Faults& faults) {
  constexpr std::string_view kKinds[] = {"sale", "return", "cancellation", "adjustment", "fee"};
  for (std::size_t row = 0; row < in.size(); ++row) {
    const std::string_view text = trim(in[row]);
    if (text.empty()) {
      set_null(out, row);
      continue;
    }
    const auto found = std::ranges::find(kKinds, text);
    if (found == std::end(kKinds)) {
      faults.add(row, header_index_, "bad_value",
                 "column " + header_name_ + ": " + shown(text) +
                     " is no kind; expected sale, return, cancellation, adjustment or fee");
    } else {
      out.text[row] = *found;
    }
  }
}

void ValueColumn::convert_dates(const RecordBatch& records, Column& out, Column* dates, Faults& faults) {
  const auto index = static_cast<std::size_t>(header_index_);
  const bool instant = field_->type == FieldType::kInstant;
  if (dates != nullptr) prepare_column(*dates, records.rows);
  std::string_view last_text;
  CellFlag last_flag = CellFlag::kPlain;
  std::int64_t last_value = 0;
  std::int64_t last_day = 0;
  for (std::size_t row = 0; row < records.rows; ++row) {
    const std::string_view raw = records.columns[index][row];
    const CellFlag flag = records.flag(index, row);
    const bool same = raw.size() == last_text.size() && !raw.empty() && flag == last_flag &&
                      std::memcmp(raw.data(), last_text.data(), raw.size()) == 0;
    if (!same) {
      const std::string_view text = trim(raw);
      if (text.empty() || is_null_word(text)) {
        no_value(row, out, faults);
        if (dates != nullptr) set_null(*dates, row);
        continue;
      }
      std::optional<WrittenTime> written;
      if (flag == CellFlag::kSerial1900 || flag == CellFlag::kSerial1904) {
        written = read_serial_date(text, flag == CellFlag::kSerial1904);
      } else {
        for (const DateFormat& format : formats_) {
          if ((written = format.read(text))) break;
        }
      }
      if (!written) {
        faults.add(
            row, header_index_, "bad_date",
            "column " + header_name_ + ": " + shown(text) + " is not a date written as " + expected_formats_);
        set_null(out, row);
        if (dates != nullptr) set_null(*dates, row);
        continue;
      }
      last_text = raw;
      last_flag = flag;
      last_day = floor_days(written->micros);
      if (instant) {
        if (written->offset_seconds) {
          last_value = written->micros - *written->offset_seconds * kMicrosPerSecond;
          last_day = zone_->local_date({last_value}).days;
        } else {
          last_value = zone_->to_utc(written->micros).micros;
        }
      } else {
        last_value = last_day;
      }
    }
    out.ints[row] = last_value;
    if (dates != nullptr) dates->ints[row] = last_day;
  }
}

}  // namespace tillcast::retail
