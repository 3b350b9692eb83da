# Third-party libraries, all from the distribution. scripts/deps.sh installs them.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)  # headers only; cmake/boost compiles what has sources
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(RocksDB REQUIRED)
find_package(pugixml REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)

# Libraries that Debian ships without a CMake package: turbine::uring, turbine::isal,
# turbine::xxhash, turbine::mimalloc.
function(turbine_plain_library target header library)
  find_path(${target}_INCLUDE ${header} REQUIRED)
  find_library(${target}_LIBRARY ${library} REQUIRED)
  add_library(turbine::${target} INTERFACE IMPORTED)
  target_link_libraries(turbine::${target} INTERFACE "${${target}_LIBRARY}")
  if(NOT ${target}_INCLUDE STREQUAL "/usr/include")
    target_include_directories(turbine::${target} SYSTEM INTERFACE "${${target}_INCLUDE}")
  endif()
endfunction()
turbine_plain_library(uring liburing.h uring)
turbine_plain_library(isal isa-l.h isal)
turbine_plain_library(xxhash xxhash.h xxhash)
turbine_plain_library(mimalloc mimalloc.h mimalloc)

if(TURBINE_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
endif()
if(TURBINE_BENCH)
  find_package(benchmark REQUIRED)
  turbine_plain_library(nfs nfsc/libnfs.h nfs)
endif()

# What every file may use: Boost headers, fmt, spdlog, threads.
add_library(turbine_common INTERFACE)
target_link_libraries(turbine_common INTERFACE
  turbine_flags Boost::headers fmt::fmt spdlog::spdlog Threads::Threads)
target_compile_definitions(turbine_common INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_SEPARATE_COMPILATION)
