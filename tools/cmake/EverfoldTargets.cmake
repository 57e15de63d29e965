# One folder is one target. everfold_folder(NAME SOURCES ... DEPS ... [PRIVATE_DEPS ...]) declares everfold_NAME,
# known to others as everfold::NAME. Folders without sources (headers only) are INTERFACE targets.
function(everfold_folder name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target everfold_${name})
  if(A_SOURCES)
    add_library(${target} STATIC ${A_SOURCES})
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    everfold_warnings(${target})
    target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/framework>)
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_link_libraries(${target} PUBLIC ${A_DEPS} PRIVATE ${A_PRIVATE_DEPS})
    if(NOT name STREQUAL "base")
      target_precompile_headers(${target} REUSE_FROM everfold_base)
    endif()
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/framework>)
    target_link_libraries(${target} INTERFACE ${A_DEPS})
  endif()
  add_library(everfold::${name} ALIAS ${target})
  set_property(GLOBAL APPEND PROPERTY EVERFOLD_FOLDERS ${target})
endfunction()

# Where it optimizes, GCC 12 takes members of options for uninitialized that were left out of a designated initializer
# and have initializers of their own (as of std::function in its bug 105562). Tests write many of those.
function(everfold_test_warnings target)
  everfold_warnings(${target})
  target_compile_options(${target} PRIVATE
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>,$<CONFIG:Release>>:-Wno-maybe-uninitialized>)
endfunction()

# What the units of all tests read, GoogleTest included, parsed once.
function(everfold_test_headers)
  if(TARGET everfold_test_headers)
    return()
  endif()
  file(WRITE ${PROJECT_BINARY_DIR}/everfold_test_headers.cc "")
  add_library(everfold_test_headers STATIC ${PROJECT_BINARY_DIR}/everfold_test_headers.cc)
  everfold_test_warnings(everfold_test_headers)
  target_link_libraries(everfold_test_headers PUBLIC everfold::base GTest::gmock_main)
  target_precompile_headers(everfold_test_headers PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <cstdint> <functional> <map> <memory> <optional> <string> <string_view> <vector>
    <absl/container/flat_hash_map.h> <absl/functional/any_invocable.h> <absl/status/statusor.h>
    <absl/strings/str_format.h> <absl/synchronization/mutex.h> <absl/time/time.h>)
endfunction()

# everfold_test(NAME SOURCES ... DEPS ... [LABELS ...] [ENVIRONMENT ...] [TIMEOUT seconds]): one GoogleTest binary.
function(everfold_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;DEPS;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 300)
  endif()
  everfold_test_headers()
  add_executable(${name} ${A_SOURCES})
  everfold_test_warnings(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_DEPS} everfold_test_headers)
  target_precompile_headers(${name} REUSE_FROM everfold_test_headers)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS "${A_LABELS}" ENVIRONMENT "${A_ENVIRONMENT}")
endfunction()
