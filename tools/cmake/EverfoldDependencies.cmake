# Every third-party package, found once and made visible to FetchContent users as well.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(absl CONFIG REQUIRED)   # before gRPC
find_package(Protobuf REQUIRED)      # module mode: Debian ships no protobuf-config.cmake
find_package(gRPC CONFIG REQUIRED)   # needs protobuf-compiler-grpc
# RE2's -pthread, which its users inherit, would keep them from sharing precompiled headers with the others. The C
# library has had threads without it since glibc 2.34.
if(TARGET re2::re2)
  set_property(TARGET re2::re2 PROPERTY INTERFACE_COMPILE_OPTIONS "")
endif()
find_package(RocksDB CONFIG REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_library(EVERFOLD_XXHASH_LIBRARY xxhash REQUIRED)
find_library(EVERFOLD_RE2_LIBRARY re2 REQUIRED)

# By what programs allocate that link everfold::app (docs/decisions/0027). Sanitizers bring their own.
set(EVERFOLD_ALLOCATOR jemalloc CACHE STRING "jemalloc, or system: the C library's")
add_library(everfold_allocator INTERFACE)
add_library(everfold::allocator ALIAS everfold_allocator)
if(EVERFOLD_ALLOCATOR STREQUAL "jemalloc")
  if(NOT EVERFOLD_SANITIZER)
    find_library(EVERFOLD_JEMALLOC_LIBRARY jemalloc REQUIRED)
    target_link_libraries(everfold_allocator INTERFACE ${EVERFOLD_JEMALLOC_LIBRARY})
  endif()
elseif(NOT EVERFOLD_ALLOCATOR STREQUAL "system")
  message(FATAL_ERROR "EVERFOLD_ALLOCATOR is '${EVERFOLD_ALLOCATOR}'; it can be 'jemalloc' or 'system'")
endif()
if(BUILD_TESTING)
  find_package(GTest CONFIG REQUIRED)
endif()
