# Which compilers are accepted, and the flags that every target of ours shares.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR
    "Turbine is not built with g++: g++ 12 miscompiles coroutines (it destroys some temporaries "
    "of co_await expressions twice). Use clang 19 or newer: -DCMAKE_CXX_COMPILER=clang++-19")
elseif(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR
    "Turbine is built with clang 19 or newer: -DCMAKE_CXX_COMPILER=clang++-19 "
    "(found ${CMAKE_CXX_COMPILER_ID} at ${CMAKE_CXX_COMPILER})")
elseif(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "Turbine needs clang 19 or newer: older ones have no std::expected with libstdc++ 12. "
    "Found clang ${CMAKE_CXX_COMPILER_VERSION}. Use -DCMAKE_CXX_COMPILER=clang++-19")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)

# Release keeps asserts out and line tables in, so that a stack trace from the field can be read.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# The sanitizer presets: libstdc++ checks indexes and optionals too.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -D_GLIBCXX_ASSERTIONS")

# clang-tidy and editors read the same flags from compile_commands.json.
add_library(turbine_flags INTERFACE)
target_compile_options(turbine_flags INTERFACE
  -fno-omit-frame-pointer
  # A precompiled header without its time stamp is the same bytes each time, which ccache needs.
  "SHELL:-Xclang -fno-pch-timestamp"
  # Two checkouts in different directories then give the same object file, debug lines included.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
target_include_directories(turbine_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_link_options(turbine_flags INTERFACE -fuse-ld=lld)

# Warnings are errors in our code only: generated code and third-party sources do without.
add_library(turbine_warnings INTERFACE)
target_compile_options(turbine_warnings INTERFACE -Wall -Wextra -Werror)

if(TURBINE_SANITIZE)
  target_compile_options(turbine_flags INTERFACE
    -fsanitize=${TURBINE_SANITIZE} -fno-sanitize-recover=all)
  string(REPLACE "fuzzer-no-link," "" link_sanitize "${TURBINE_SANITIZE}")
  target_link_options(turbine_flags INTERFACE -fsanitize=${link_sanitize})
endif()

# ccache: all checkouts of one machine share their hits. Paths below the checkout are made
# relative (BASEDIR) and the working directory is not hashed. The precompiled header itself is not
# cached (it names absolute paths); instead of its bytes, ccache hashes the .sum file beside it,
# which TurbineTargets.cmake writes.
find_program(TURBINE_CCACHE ccache)
if(TURBINE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
    CCACHE_NOHASHDIR=1
    CCACHE_PCH_EXTSUM=1
    "${TURBINE_CCACHE}")
endif()
