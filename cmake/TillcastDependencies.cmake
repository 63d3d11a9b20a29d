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

# gRPC without TLS, linked statically: its 50 shared libraries would cost every command 10 ms at its start, the static
# ones cost 1 ms. What ITEMS names is missing in Debian's pkg-config file.
pkg_check_modules(GRPC REQUIRED grpc++_unsecure)
find_library(GRPC_ARCHIVE NAMES libgrpc++_unsecure.a REQUIRED)
get_filename_component(grpc_folder "${GRPC_ARCHIVE}" DIRECTORY)
add_library(grpc_static INTERFACE)
set(grpc_archives "")
list(REMOVE_DUPLICATES GRPC_STATIC_LIBRARIES)
foreach(name IN LISTS GRPC_STATIC_LIBRARIES ITEMS grpc++_reflection address_sorting upb re2 cares protobuf)
  if(name MATCHES "^(grpc|absl|gpr$)" OR NOT name IN_LIST GRPC_STATIC_LIBRARIES)
    list(APPEND grpc_archives "${grpc_folder}/lib${name}.a")
  endif()
endforeach()
target_link_libraries(grpc_static INTERFACE -Wl,--start-group ${grpc_archives} -Wl,--end-group z)
