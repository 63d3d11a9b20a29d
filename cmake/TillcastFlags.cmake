# All compiler flags live in one INTERFACE target; there are no global flags.
add_library(tillcast_flags INTERFACE)
target_compile_features(tillcast_flags INTERFACE cxx_std_23)
target_compile_options(tillcast_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -fno-omit-frame-pointer
  -march=x86-64-v3)
# GCC 12 warns wrongly about std::string concatenation (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tillcast_flags INTERFACE -Wno-restrict)
endif()
# RapidJSON 1.1 assigns to a const member in a template that nobody uses; clang 19 accepts that only unparsed.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(tillcast_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fdelayed-template-parsing>
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-delayed-template-parsing-in-cxx20>)
endif()
# A unit holds several files, each of which is in no other unit: types of their unnamed namespaces in members are safe.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tillcast_flags INTERFACE -Wno-subobject-linkage)
endif()
if(TILLCAST_WERROR)
  target_compile_options(tillcast_flags INTERFACE -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Of the same family of wrong warnings; they come and go with inlining, so they may not stop a build.
    target_compile_options(tillcast_flags INTERFACE -Wno-error=array-bounds -Wno-error=stringop-overflow
      -Wno-error=stringop-overread)
  endif()
endif()
if(TILLCAST_SANITIZE)
  target_compile_options(tillcast_flags INTERFACE -fsanitize=${TILLCAST_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tillcast_flags INTERFACE -fsanitize=${TILLCAST_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC's manual: sanitizers make this warning wrong more often (here: in std::regex).
    target_compile_options(tillcast_flags INTERFACE -Wno-error=maybe-uninitialized)
  endif()
endif()
target_include_directories(tillcast_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
find_package(Threads REQUIRED)
target_link_libraries(tillcast_flags INTERFACE Threads::Threads)

# The release preset compiles twelve files of a folder as one (CMAKE_UNITY_BUILD), which halves the CPU time of a first
# build. Names in unnamed namespaces must then differ within a folder; the other presets compile file by file and keep
# the includes honest.
find_program(CCACHE_PROGRAM ccache)
# A precompiled header of the standard library saves a quarter of a cold build (0.4 to 1.4 CPU s a file). It hides
# missing includes and ccache cannot see through it, so builds with ccache go without and keep the includes honest.
if(CCACHE_PROGRAM)
  option(TILLCAST_PCH "Precompile the standard headers" OFF)
else()
  option(TILLCAST_PCH "Precompile the standard headers" ON)
endif()
if(CCACHE_PROGRAM AND NOT TILLCAST_PCH)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  target_link_options(tillcast_flags INTERFACE -fuse-ld=mold)
endif()
if(TILLCAST_PCH)
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/pch/standard_headers.cpp" CONTENT "")
  add_library(tillcast_standard_headers OBJECT "${CMAKE_BINARY_DIR}/pch/standard_headers.cpp")
  target_link_libraries(tillcast_standard_headers PRIVATE tillcast_flags)
  target_precompile_headers(tillcast_standard_headers PRIVATE
    <algorithm> <chrono> <cstdint> <expected> <filesystem> <functional> <map> <memory> <optional> <span>
    <string> <string_view> <unordered_map> <utility> <vector>)
endif()
