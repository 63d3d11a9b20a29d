#include <algorithm>
#include <cstring>

#include "core/decimal.h"
#include "database/duck_internal.h"

namespace tillcast::database {
namespace {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

const char* plain_name(duckdb_type id) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return "BOOLEAN";
    case DUCKDB_TYPE_TINYINT:
      return "TINYINT";
    case DUCKDB_TYPE_SMALLINT:
      return "SMALLINT";
    case DUCKDB_TYPE_INTEGER:
      return "INTEGER";
    case DUCKDB_TYPE_BIGINT:
      return "BIGINT";
    case DUCKDB_TYPE_UTINYINT:
      return "UTINYINT";
    case DUCKDB_TYPE_USMALLINT:
      return "USMALLINT";
    case DUCKDB_TYPE_UINTEGER:
      return "UINTEGER";
    case DUCKDB_TYPE_UBIGINT:
      return "UBIGINT";
    case DUCKDB_TYPE_FLOAT:
      return "FLOAT";
    case DUCKDB_TYPE_DOUBLE:
      return "DOUBLE";
    case DUCKDB_TYPE_TIMESTAMP:
      return "TIMESTAMP";
    case DUCKDB_TYPE_DATE:
      return "DATE";
    case DUCKDB_TYPE_TIME:
      return "TIME";
    case DUCKDB_TYPE_INTERVAL:
      return "INTERVAL";
    case DUCKDB_TYPE_HUGEINT:
      return "HUGEINT";
    case DUCKDB_TYPE_UHUGEINT:
      return "UHUGEINT";
    case DUCKDB_TYPE_VARCHAR:
      return "VARCHAR";
    case DUCKDB_TYPE_BLOB:
      return "BLOB";
    case DUCKDB_TYPE_TIMESTAMP_S:
      return "TIMESTAMP_S";
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return "TIMESTAMP_MS";
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return "TIMESTAMP_NS";
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return "TIMESTAMP WITH TIME ZONE";
    case DUCKDB_TYPE_TIME_TZ:
      return "TIME WITH TIME ZONE";
    case DUCKDB_TYPE_UUID:
      return "UUID";
    case DUCKDB_TYPE_BIT:
      return "BIT";
    case DUCKDB_TYPE_SQLNULL:
      return "NULL";
    case DUCKDB_TYPE_TIME_NS:
      return "TIME_NS";
    case DUCKDB_TYPE_BIGNUM:
      return "BIGNUM";
    case DUCKDB_TYPE_GEOMETRY:
      return "GEOMETRY";
    case DUCKDB_TYPE_VARIANT:
      return "VARIANT";
    default:
      return "UNKNOWN";
  }
}

std::string owned(char* text) {
  std::string out = text != nullptr ? text : "";
  duckdb_free(text);
  return out;
}

bool returnable(duckdb_logical_type type) {
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_INVALID:
    case DUCKDB_TYPE_ANY:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_GEOMETRY:
    case DUCKDB_TYPE_VARIANT:
      return false;
    case DUCKDB_TYPE_LIST:
      return returnable(TypeHandle(duckdb_list_type_child_type(type)).get());
    case DUCKDB_TYPE_ARRAY:
      return returnable(TypeHandle(duckdb_array_type_child_type(type)).get());
    case DUCKDB_TYPE_MAP:
      return returnable(TypeHandle(duckdb_map_type_key_type(type)).get()) &&
             returnable(TypeHandle(duckdb_map_type_value_type(type)).get());
    case DUCKDB_TYPE_STRUCT: {
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        if (!returnable(TypeHandle(duckdb_struct_type_child_type(type, i)).get())) return false;
      }
      return true;
    }
    default:
      return true;
  }
}

template <class T>
T element(duckdb_vector vector, idx_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

std::string_view text_element(duckdb_vector vector, idx_t row) {
  auto* const text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector)) + row;
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

bool is_null(duckdb_vector vector, idx_t row) {
  std::uint64_t* const validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

std::int64_t small_integer(duckdb_type id, duckdb_vector vector, idx_t row) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return element<bool>(vector, row) ? 1 : 0;
    case DUCKDB_TYPE_TINYINT:
      return element<std::int8_t>(vector, row);
    case DUCKDB_TYPE_SMALLINT:
      return element<std::int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
      return element<std::int32_t>(vector, row);
    case DUCKDB_TYPE_UTINYINT:
      return element<std::uint8_t>(vector, row);
    case DUCKDB_TYPE_USMALLINT:
      return element<std::uint16_t>(vector, row);
    case DUCKDB_TYPE_UINTEGER:
      return element<std::uint32_t>(vector, row);
    default:
      return element<std::int64_t>(vector, row);
  }
}

Int128 wide_integer(duckdb_type storage, duckdb_vector vector, idx_t row) {
  if (storage != DUCKDB_TYPE_HUGEINT) return small_integer(storage, vector, row);
  const auto huge = element<duckdb_hugeint>(vector, row);
  return static_cast<Int128>((static_cast<Uint128>(static_cast<std::uint64_t>(huge.upper)) << 64) |
                             huge.lower);
}

std::string format_wide(Int128 value, int scale) {
  const bool negative = value < 0;
  auto rest = negative ? -static_cast<Uint128>(value) : static_cast<Uint128>(value);
  std::string digits;
  while (rest != 0 || static_cast<int>(digits.size()) <= scale) {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    if (static_cast<int>(digits.size()) == scale && scale > 0) digits += '.';
  }
  if (digits.ends_with('.')) digits += '0';
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// Any element as DuckDB's own value, nested ones too, so that DuckDB writes its text.
ValueHandle value_of(duckdb_logical_type type, duckdb_vector vector, idx_t row);

std::vector<ValueHandle> values_of(duckdb_logical_type type, duckdb_vector vector, idx_t first, idx_t count) {
  std::vector<ValueHandle> values;
  values.reserve(count);
  for (idx_t i = 0; i < count; ++i) values.push_back(value_of(type, vector, first + i));
  return values;
}

std::vector<duckdb_value> raw_values(const std::vector<ValueHandle>& values) {
  std::vector<duckdb_value> raw;
  raw.reserve(values.size() + 1);
  for (const ValueHandle& value : values) raw.push_back(value.get());
  raw.push_back(nullptr);  // so that data() is never null
  return raw;
}

ValueHandle list_value(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const TypeHandle child(duckdb_list_type_child_type(type));
  const auto entry = element<duckdb_list_entry>(vector, row);
  const auto values =
      values_of(child.get(), duckdb_list_vector_get_child(vector), entry.offset, entry.length);
  return ValueHandle(duckdb_create_list_value(child.get(), raw_values(values).data(), values.size()));
}

ValueHandle array_value(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const TypeHandle child(duckdb_array_type_child_type(type));
  const idx_t size = duckdb_array_type_array_size(type);
  const auto values = values_of(child.get(), duckdb_array_vector_get_child(vector), row * size, size);
  return ValueHandle(duckdb_create_array_value(child.get(), raw_values(values).data(), values.size()));
}

ValueHandle struct_value(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  std::vector<ValueHandle> values;
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    const TypeHandle child(duckdb_struct_type_child_type(type, i));
    values.push_back(value_of(child.get(), duckdb_struct_vector_get_child(vector, i), row));
  }
  return ValueHandle(duckdb_create_struct_value(type, raw_values(values).data()));
}

ValueHandle map_value(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const TypeHandle key(duckdb_map_type_key_type(type));
  const TypeHandle value(duckdb_map_type_value_type(type));
  const auto entry = element<duckdb_list_entry>(vector, row);
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  const auto keys =
      values_of(key.get(), duckdb_struct_vector_get_child(pairs, 0), entry.offset, entry.length);
  const auto values =
      values_of(value.get(), duckdb_struct_vector_get_child(pairs, 1), entry.offset, entry.length);
  return ValueHandle(
      duckdb_create_map_value(type, raw_values(keys).data(), raw_values(values).data(), keys.size()));
}

ValueHandle union_value(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  const auto tag = element<std::uint8_t>(duckdb_struct_vector_get_child(vector, 0), row);
  const TypeHandle member(duckdb_union_type_member_type(type, tag));
  const ValueHandle value =
      value_of(member.get(), duckdb_struct_vector_get_child(vector, tag + idx_t{1}), row);
  return ValueHandle(duckdb_create_union_value(type, tag, value.get()));
}

ValueHandle enum_value(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  idx_t index = 0;
  switch (duckdb_enum_internal_type(type)) {
    case DUCKDB_TYPE_UTINYINT:
      index = element<std::uint8_t>(vector, row);
      break;
    case DUCKDB_TYPE_USMALLINT:
      index = element<std::uint16_t>(vector, row);
      break;
    default:
      index = element<std::uint32_t>(vector, row);
      break;
  }
  return ValueHandle(duckdb_create_enum_value(type, index));
}

duckdb_uhugeint unflipped_uuid(duckdb_hugeint stored) {
  // DuckDB stores UUIDs with the top bit flipped so that they sort as signed numbers.
  return {stored.lower, static_cast<std::uint64_t>(stored.upper) ^ (std::uint64_t{1} << 63)};
}

ValueHandle value_of(duckdb_logical_type type, duckdb_vector vector, idx_t row) {
  if (is_null(vector, row)) return ValueHandle(duckdb_create_null_value());
  switch (const duckdb_type id = duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN:
      return ValueHandle(duckdb_create_bool(element<bool>(vector, row)));
    case DUCKDB_TYPE_TINYINT:
      return ValueHandle(duckdb_create_int8(element<std::int8_t>(vector, row)));
    case DUCKDB_TYPE_SMALLINT:
      return ValueHandle(duckdb_create_int16(element<std::int16_t>(vector, row)));
    case DUCKDB_TYPE_INTEGER:
      return ValueHandle(duckdb_create_int32(element<std::int32_t>(vector, row)));
    case DUCKDB_TYPE_BIGINT:
      return ValueHandle(duckdb_create_int64(element<std::int64_t>(vector, row)));
    case DUCKDB_TYPE_UTINYINT:
      return ValueHandle(duckdb_create_uint8(element<std::uint8_t>(vector, row)));
    case DUCKDB_TYPE_USMALLINT:
      return ValueHandle(duckdb_create_uint16(element<std::uint16_t>(vector, row)));
    case DUCKDB_TYPE_UINTEGER:
      return ValueHandle(duckdb_create_uint32(element<std::uint32_t>(vector, row)));
    case DUCKDB_TYPE_UBIGINT:
      return ValueHandle(duckdb_create_uint64(element<std::uint64_t>(vector, row)));
    case DUCKDB_TYPE_HUGEINT:
      return ValueHandle(duckdb_create_hugeint(element<duckdb_hugeint>(vector, row)));
    case DUCKDB_TYPE_UHUGEINT:
      return ValueHandle(duckdb_create_uhugeint(element<duckdb_uhugeint>(vector, row)));
    case DUCKDB_TYPE_FLOAT:
      return ValueHandle(duckdb_create_float(element<float>(vector, row)));
    case DUCKDB_TYPE_DOUBLE:
      return ValueHandle(duckdb_create_double(element<double>(vector, row)));
    case DUCKDB_TYPE_DATE:
      return ValueHandle(duckdb_create_date(element<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return ValueHandle(duckdb_create_time(element<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIME_NS:
      return ValueHandle(duckdb_create_time_ns(element<duckdb_time_ns>(vector, row)));
    case DUCKDB_TYPE_TIME_TZ:
      return ValueHandle(duckdb_create_time_tz_value(element<duckdb_time_tz>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
      return ValueHandle(duckdb_create_timestamp(element<duckdb_timestamp>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return ValueHandle(duckdb_create_timestamp_tz(element<duckdb_timestamp>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return ValueHandle(duckdb_create_timestamp_s(element<duckdb_timestamp_s>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return ValueHandle(duckdb_create_timestamp_ms(element<duckdb_timestamp_ms>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return ValueHandle(duckdb_create_timestamp_ns(element<duckdb_timestamp_ns>(vector, row)));
    case DUCKDB_TYPE_INTERVAL:
      return ValueHandle(duckdb_create_interval(element<duckdb_interval>(vector, row)));
    case DUCKDB_TYPE_UUID:
      return ValueHandle(duckdb_create_uuid(unflipped_uuid(element<duckdb_hugeint>(vector, row))));
    case DUCKDB_TYPE_DECIMAL: {
      const Int128 units = wide_integer(duckdb_decimal_internal_type(type), vector, row);
      const duckdb_hugeint huge = {static_cast<std::uint64_t>(units), static_cast<std::int64_t>(units >> 64)};
      return ValueHandle(
          duckdb_create_decimal({duckdb_decimal_width(type), duckdb_decimal_scale(type), huge}));
    }
    case DUCKDB_TYPE_LIST:
      return list_value(type, vector, row);
    case DUCKDB_TYPE_ARRAY:
      return array_value(type, vector, row);
    case DUCKDB_TYPE_STRUCT:
      return struct_value(type, vector, row);
    case DUCKDB_TYPE_MAP:
      return map_value(type, vector, row);
    case DUCKDB_TYPE_UNION:
      return union_value(type, vector, row);
    case DUCKDB_TYPE_ENUM:
      return enum_value(type, vector, row);
    default: {
      const std::string_view bytes = text_element(vector, row);
      const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
      if (id == DUCKDB_TYPE_BLOB) return ValueHandle(duckdb_create_blob(data, bytes.size()));
      if (id == DUCKDB_TYPE_BIT)
        return ValueHandle(duckdb_create_bit({const_cast<std::uint8_t*>(data), bytes.size()}));
      return ValueHandle(duckdb_create_varchar_length(bytes.data(), bytes.size()));
    }
  }
}

}  // namespace

std::string text_of(duckdb_value value) { return owned(duckdb_get_varchar(value)); }

std::string type_name(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return "DECIMAL(" + std::to_string(duckdb_decimal_width(type)) + "," +
             std::to_string(duckdb_decimal_scale(type)) + ")";
    case DUCKDB_TYPE_LIST:
      return type_name(TypeHandle(duckdb_list_type_child_type(type)).get()) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return type_name(TypeHandle(duckdb_array_type_child_type(type)).get()) + "[" +
             std::to_string(duckdb_array_type_array_size(type)) + "]";
    case DUCKDB_TYPE_MAP:
      return "MAP(" + type_name(TypeHandle(duckdb_map_type_key_type(type)).get()) + ", " +
             type_name(TypeHandle(duckdb_map_type_value_type(type)).get()) + ")";
    case DUCKDB_TYPE_STRUCT: {
      std::string text = "STRUCT(";
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        if (i > 0) text += ", ";
        text += sql_identifier(owned(duckdb_struct_type_child_name(type, i))) + " " +
                type_name(TypeHandle(duckdb_struct_type_child_type(type, i)).get());
      }
      return text + ")";
    }
    case DUCKDB_TYPE_UNION: {
      std::string text = "UNION(";
      for (idx_t i = 0; i < duckdb_union_type_member_count(type); ++i) {
        if (i > 0) text += ", ";
        text += sql_identifier(owned(duckdb_union_type_member_name(type, i))) + " " +
                type_name(TypeHandle(duckdb_union_type_member_type(type, i)).get());
      }
      return text + ")";
    }
    case DUCKDB_TYPE_ENUM: {
      std::string text = "ENUM(";
      for (std::uint32_t i = 0; i < duckdb_enum_dictionary_size(type); ++i) {
        if (i > 0) text += ", ";
        text += sql_quote(owned(duckdb_enum_dictionary_value(type, i)));
      }
      return text + ")";
    }
    default:
      return plain_name(id);
  }
}

Result<ResultReader> ResultReader::create(duckdb_result& result) {
  ResultReader reader;
  const idx_t count = duckdb_column_count(&result);
  for (idx_t i = 0; i < count; ++i) {
    Source source;
    source.type = TypeHandle(duckdb_column_logical_type(&result, i));
    source.id = duckdb_get_type_id(source.type.get());
    const std::string name = duckdb_column_name(&result, i);
    if (!returnable(source.type.get())) {
      return invalid_input("column " + name + " has type " + type_name(source.type.get()) +
                           ", which cannot be returned; cast it: " + sql_identifier(name) + "::VARCHAR");
    }
    switch (source.id) {
      case DUCKDB_TYPE_BOOLEAN:
        source.as = ColumnType::kBool;
        break;
      case DUCKDB_TYPE_TINYINT:
      case DUCKDB_TYPE_SMALLINT:
      case DUCKDB_TYPE_UTINYINT:
      case DUCKDB_TYPE_USMALLINT:
      case DUCKDB_TYPE_INTEGER:
        source.as = ColumnType::kInt32;
        break;
      case DUCKDB_TYPE_UINTEGER:
      case DUCKDB_TYPE_BIGINT:
        source.as = ColumnType::kInt64;
        break;
      case DUCKDB_TYPE_FLOAT:
      case DUCKDB_TYPE_DOUBLE:
        source.as = ColumnType::kDouble;
        break;
      case DUCKDB_TYPE_DATE:
        source.as = ColumnType::kDate;
        break;
      case DUCKDB_TYPE_TIMESTAMP:
      case DUCKDB_TYPE_TIMESTAMP_TZ:
        source.as = ColumnType::kTimestamp;
        break;
      case DUCKDB_TYPE_DECIMAL:
        source.decimal_scale = duckdb_decimal_scale(source.type.get());
        source.decimal_storage = duckdb_decimal_internal_type(source.type.get());
        if (source.decimal_storage != DUCKDB_TYPE_HUGEINT && source.decimal_scale == 3)
          source.as = ColumnType::kDecimal3;
        if (source.decimal_storage != DUCKDB_TYPE_HUGEINT && source.decimal_scale == 4)
          source.as = ColumnType::kDecimal4;
        break;
      default:
        break;
    }
    reader.columns_.push_back({name, type_name(source.type.get())});
    reader.sources_.push_back(std::move(source));
  }
  static_cast<void>(reader.take());
  return reader;
}

QueryResult ResultReader::take() {
  QueryResult done = std::move(current_);
  current_ = {};
  current_.columns = columns_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column column;
    column.spec = {columns_[i].name, sources_[i].as};
    current_.batch.columns.push_back(std::move(column));
  }
  arena_ = std::make_shared<TextArena>();
  current_.batch.owners.push_back(arena_);
  return done;
}

void ResultReader::append(duckdb_data_chunk chunk, std::size_t rows_max) {
  const std::size_t rows = std::min<std::size_t>(duckdb_data_chunk_get_size(chunk), rows_max);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    append_column(current_.batch.columns[i], sources_[i], duckdb_data_chunk_get_vector(chunk, i), rows);
  }
  current_.batch.rows += rows;
  rows_ += rows;
}

void ResultReader::append_column(Column& to, const Source& source, duckdb_vector vector, std::size_t rows) {
  const std::size_t before = current_.batch.rows;
  std::uint64_t* const validity = duckdb_vector_get_validity(vector);
  bool any_null = false;
  if (validity != nullptr) {
    for (std::size_t row = 0; row < rows && !any_null; ++row)
      any_null = !duckdb_validity_row_is_valid(validity, row);
  }
  if (any_null || !to.valid.empty()) {
    to.valid.resize(before, 1);  // rows before the first null were all present
    to.valid.resize(before + rows, 1);
    for (std::size_t row = 0; any_null && row < rows; ++row) {
      to.valid[before + row] = duckdb_validity_row_is_valid(validity, row) ? 1 : 0;
    }
  }
  const auto missing = [&](std::size_t row) { return any_null && to.valid[before + row] == 0; };
  if (source.as == ColumnType::kDouble) {
    to.doubles.resize(before + rows);
    for (std::size_t row = 0; row < rows; ++row) {
      if (missing(row)) continue;
      to.doubles[before + row] = source.id == DUCKDB_TYPE_FLOAT
                                     ? static_cast<double>(element<float>(vector, row))
                                     : element<double>(vector, row);
    }
  } else if (source.as != ColumnType::kText) {
    const duckdb_type storage = source.id == DUCKDB_TYPE_DECIMAL ? source.decimal_storage : source.id;
    to.ints.resize(before + rows);
    for (std::size_t row = 0; row < rows; ++row) {
      if (!missing(row)) to.ints[before + row] = small_integer(storage, vector, row);
    }
  } else {
    to.text.resize(before + rows);
    for (std::size_t row = 0; row < rows; ++row) {
      if (missing(row)) continue;
      std::string_view& text = to.text[before + row];
      if (source.id == DUCKDB_TYPE_VARCHAR) {
        text = arena_->add(text_element(vector, row));
      } else if (source.id == DUCKDB_TYPE_HUGEINT) {
        text = arena_->add(format_wide(wide_integer(source.id, vector, row), 0));
      } else if (source.id == DUCKDB_TYPE_DECIMAL) {
        text =
            arena_->add(format_wide(wide_integer(source.decimal_storage, vector, row), source.decimal_scale));
      } else {
        text = arena_->add(text_of(value_of(source.type.get(), vector, row).get()));
      }
    }
  }
}

}  // namespace tillcast::database
