# Compiler, linker and sanitizer settings for our own code. Users of everfold inherit only C++20.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

option(EVERFOLD_WARNINGS_AS_ERRORS "Fail on warnings in everfold's own code" ${PROJECT_IS_TOP_LEVEL})
set(EVERFOLD_SANITIZER "" CACHE STRING "address (with undefined), thread, or empty")

# A cache of object files makes a second configuration or a fresh clone a matter of seconds.
find_program(EVERFOLD_CCACHE ccache)
if(EVERFOLD_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${EVERFOLD_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()

find_program(EVERFOLD_MOLD mold)
if(EVERFOLD_MOLD AND PROJECT_IS_TOP_LEVEL)
  add_link_options(-fuse-ld=mold)
endif()

if(EVERFOLD_SANITIZER STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(EVERFOLD_SANITIZER STREQUAL "thread")
  # GCC warns of the fences in Boost.Asio, which ThreadSanitizer does not model.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  add_link_options(-fsanitize=thread)
elseif(EVERFOLD_SANITIZER)
  message(FATAL_ERROR "EVERFOLD_SANITIZER is '${EVERFOLD_SANITIZER}'; it can be 'address', 'thread' or empty")
endif()

# Applied to everfold's own targets, never to generated code or to users' targets. GCC 12 sees overruns in std::string
# and, where it optimizes, in std::vector where there are none (its bugs 105329, 105651 and 107852); newer ones are
# asked.
function(everfold_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual
    "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overread;-Wno-stringop-overflow>"
    $<$<BOOL:${EVERFOLD_WARNINGS_AS_ERRORS}>:-Werror>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
endfunction()
