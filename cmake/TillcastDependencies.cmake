# Every third-party library the project links, in one place; docs/decisions/ says why each was chosen.
# Debian packages come through pkg-config or plain library names; prebuilt ones from TILLCAST_DEPS_DIR.
find_package(PkgConfig REQUIRED)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(MINIZIP REQUIRED IMPORTED_TARGET minizip)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(YAMLCPP REQUIRED IMPORTED_TARGET yaml-cpp)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

# Header-only libraries.
find_path(TOMLPP_INCLUDE toml++/toml.h REQUIRED)
find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
find_path(RAPIDJSON_INCLUDE rapidjson/document.h REQUIRED)

# DuckDB: prebuilt shared library and C header, pinned by hash in scripts/fetch_deps.sh.
add_library(duckdb SHARED IMPORTED GLOBAL)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION "${TILLCAST_DEPS_DIR}/duckdb/lib/libduckdb.so"
  INTERFACE_INCLUDE_DIRECTORIES "${TILLCAST_DEPS_DIR}/duckdb/include")
if(NOT EXISTS "${TILLCAST_DEPS_DIR}/duckdb/lib/libduckdb.so")
  message(FATAL_ERROR "DuckDB is missing in ${TILLCAST_DEPS_DIR}: run scripts/fetch_deps.sh (./dev does it)")
endif()

# LightGBM: prebuilt shared library and C headers, pinned likewise. It needs libgomp of GCC.
add_library(lightgbm SHARED IMPORTED GLOBAL)
set_target_properties(lightgbm PROPERTIES
  IMPORTED_LOCATION "${TILLCAST_DEPS_DIR}/lightgbm/lib/lib_lightgbm.so"
  INTERFACE_INCLUDE_DIRECTORIES "${TILLCAST_DEPS_DIR}/lightgbm/include")
if(NOT EXISTS "${TILLCAST_DEPS_DIR}/lightgbm/lib/lib_lightgbm.so")
  message(FATAL_ERROR "LightGBM is missing in ${TILLCAST_DEPS_DIR}: run scripts/fetch_deps.sh (./dev does it)")
endif()
