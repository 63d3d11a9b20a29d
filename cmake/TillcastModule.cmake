# tillcast_module(NAME SOURCES a.cpp ... DEPS core io ... PRIVATE_DEPS PkgConfig::x ...)
#   A folder of src/: builds the static library tillcast_NAME. DEPS are other folders.
function(tillcast_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(tillcast_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(tillcast_${name} PUBLIC tillcast_flags PRIVATE ${ARG_PRIVATE_DEPS})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(tillcast_${name} PUBLIC tillcast_${dep})
  endforeach()
endfunction()

# tillcast_test(FOLDER SOURCES a_test.cpp ... DEPS core ... PRIVATE_DEPS ... [LABEL slow])
#   One test program per folder of tests/; each GoogleTest case is a ctest.
function(tillcast_test folder)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target ${folder}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE tillcast_flags tillcast_test_support GTest::gtest GTest::gmock
    GTest::gtest_main ${ARG_PRIVATE_DEPS})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${target} PRIVATE tillcast_${dep})
  endforeach()
  target_compile_definitions(${target} PRIVATE TILLCAST_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    TILLCAST_BINARY="${CMAKE_BINARY_DIR}/bin/tillcast")
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  # One ctest per program: starting a process per case costs more than the cases themselves.
  add_test(NAME ${target} COMMAND ${target})
  set_tests_properties(${target} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
