# How folders are built. A folder's CMakeLists.txt needs only these:
#
#   turbine_library(NAME kv SOURCES a.cpp b.cpp DEPS base io LIBS RocksDB::rocksdb)
#   turbine_test(kv SOURCES a_test.cpp b_test.cpp DEPS journal)
#   turbine_fuzz(kv_row SOURCES row_fuzz.cpp DEPS kv)
#   turbine_bench(kv_put SOURCES put_bench.cpp DEPS kv)
#   turbine_executable(turbine SOURCES main.cpp DEPS bladed gatewayd)
#
# DEPS are folder names (and `proto`); they are passed on to those who depend on this folder.
# LIBS are third-party targets, kept private to the folder unless listed after PUBLIC_LIBS.

include(GoogleTest)

# Lowest layer first.
set(TURBINE_FOLDERS
  base io
  erasure kv journal rpc
  cluster etcd chunk
  replica
  stripe
  meta
  fs
  nfs s3 admin client
  bladed gatewayd managerd
  cli)

# --- precompiled headers ---------------------------------------------------------------------

# One precompiled header for all sources and one for all tests: built once per checkout.
# target_precompile_headers(REUSE_FROM) is not used: it also passes `-include` with an absolute
# path, behind -Xclang where ccache does not make it relative, and no two checkouts share a hit.
function(turbine_pch target header)
  set(anchor "${CMAKE_BINARY_DIR}/pch/${target}.cpp")
  if(NOT EXISTS "${anchor}")
    file(WRITE "${anchor}" "")
  endif()
  add_library(${target} OBJECT "${anchor}")
  target_link_libraries(${target} PRIVATE turbine_common turbine_warnings ${ARGN})
  target_precompile_headers(${target} PRIVATE "${CMAKE_SOURCE_DIR}/${header}")
  # Never cached: it names the absolute paths of this checkout.
  set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "")

  # What ccache hashes in place of the precompiled header's bytes: all that decides its meaning.
  set(sources "${CMAKE_SOURCE_DIR}/src/base/pch.hpp" "${CMAKE_SOURCE_DIR}/${header}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  set(sum "${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS} ${CMAKE_BUILD_TYPE}"
    " ${CMAKE_CXX_FLAGS_${type}} ${TURBINE_SANITIZE}"
    " ${Boost_VERSION} ${fmt_VERSION} ${spdlog_VERSION} ${GTEST_VERSION}")
  foreach(file IN LISTS sources)
    file(SHA256 "${file}" hash)
    string(APPEND sum " ${hash}")
  endforeach()
  file(CONFIGURE
    OUTPUT "${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum"
    CONTENT "${sum}\n")
endfunction()

# `path` is relative to the build directory, where compilers run.
function(turbine_use_pch target pch)
  if(CMAKE_GENERATOR MATCHES "Ninja")
    set(path CMakeFiles/${pch}.dir/cmake_pch.hxx.pch)
  else()
    set(path ${CMAKE_BINARY_DIR}/CMakeFiles/${pch}.dir/cmake_pch.hxx.pch)
  endif()
  target_compile_options(${target} PRIVATE
    -Winvalid-pch "SHELL:-Xclang -include-pch -Xclang ${path}")
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS
    "${CMAKE_BINARY_DIR}/CMakeFiles/${pch}.dir/cmake_pch.hxx.pch")
  add_dependencies(${target} ${pch})
endfunction()

# Compiles the sources of `target`, which uses turbine_pch, `batch` at a time. CMake makes the files
# that include them later, but takes properties of files with their names.
function(turbine_unity target batch)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  get_target_property(sources ${target} SOURCES)
  list(LENGTH sources count)
  math(EXPR last "(${count} - 1) / ${batch}")
  foreach(i RANGE ${last})
    set_property(
      SOURCE "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/Unity/unity_${i}_cxx.cxx"
      APPEND PROPERTY OBJECT_DEPENDS
      "${CMAKE_BINARY_DIR}/CMakeFiles/turbine_pch.dir/cmake_pch.hxx.pch")
  endforeach()
endfunction()

turbine_pch(turbine_pch src/base/pch.hpp)
if(TURBINE_TESTS)
  turbine_pch(turbine_test_pch tests/support/test_pch.hpp GTest::gmock)
endif()

# --- libraries and programs ------------------------------------------------------------------

function(turbine_targets_of_folders out)
  set(targets "")
  foreach(folder IN LISTS ARGN)
    list(APPEND targets turbine_${folder})
  endforeach()
  set(${out} "${targets}" PARENT_SCOPE)
endfunction()

function(turbine_library)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEPS;LIBS;PUBLIC_LIBS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "turbine_library(${arg_NAME}): what is ${arg_UNPARSED_ARGUMENTS}?")
  endif()
  turbine_targets_of_folders(deps ${arg_DEPS})
  set(target turbine_${arg_NAME})
  if(NOT arg_SOURCES)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE
      turbine_common turbine_boost ${deps} ${arg_PUBLIC_LIBS} ${arg_LIBS})
    return()
  endif()
  add_library(${target} STATIC ${arg_SOURCES})
  target_link_libraries(${target}
    PUBLIC turbine_common turbine_boost ${deps} ${arg_PUBLIC_LIBS}
    PRIVATE turbine_warnings ${arg_LIBS})
  turbine_use_pch(${target} turbine_pch)
  if(TURBINE_UNITY)
    turbine_unity(${target} 12)
  endif()
endfunction()

function(turbine_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  turbine_targets_of_folders(deps ${arg_DEPS})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE
    turbine_common turbine_boost turbine_warnings ${deps} ${arg_LIBS})
  if(NOT TURBINE_SANITIZE)
    # In place of glibc's malloc, for all libraries of the process (docs/decisions).
    target_link_libraries(${name} PRIVATE turbine::mimalloc)
  endif()
  turbine_use_pch(${name} turbine_pch)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()

# Programs that only tests of other labels than `unit`, `sim` and `fuzz` run: the sanitizer presets
# don't build them.
function(turbine_release_only)
  if(TURBINE_SANITIZE)
    set_target_properties(${ARGN} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

# --- tests -----------------------------------------------------------------------------------

# One executable per folder, every TEST its own ctest named <folder>.<Suite>.<Test>.
# LABEL is `unit` unless told: sim (whole array, virtual clock), soak (long; test.sh --soak).
function(turbine_test folder)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT;NAME" "SOURCES;DEPS;LIBS" ${ARGN})
  if(NOT TURBINE_TESTS OR NOT arg_SOURCES)
    return()
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(TURBINE_SANITIZE)  # sanitizers slow the heavy tests down by about ten
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 5")
  endif()
  if(NOT arg_NAME)
    set(arg_NAME ${folder})
  endif()
  if(folder IN_LIST TURBINE_FOLDERS)
    list(APPEND arg_DEPS ${folder})
  endif()
  turbine_targets_of_folders(deps ${arg_DEPS})
  set(target ${arg_NAME}_test)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE
    turbine_common turbine_boost turbine_warnings ${deps} ${arg_LIBS}
    GTest::gmock GTest::gtest_main rapidcheck)
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  turbine_use_pch(${target} turbine_test_pch)
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    TEST_PREFIX "${arg_NAME}."
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()

# A libFuzzer target; ctest runs it for 15 s over tests/fuzz/corpus/<name>. Finds stay in the
# build directory; a fixed one is added to the corpus by hand.
function(turbine_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  if(NOT TURBINE_FUZZ)
    return()
  endif()
  turbine_targets_of_folders(deps ${arg_DEPS})
  set(target ${name}_fuzz)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE
    turbine_common turbine_boost turbine_warnings ${deps} ${arg_LIBS})
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  turbine_use_pch(${target} turbine_pch)
  set(corpus "${CMAKE_BINARY_DIR}/fuzz/${name}")
  file(MAKE_DIRECTORY "${corpus}")
  set(seeds "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  if(NOT EXISTS "${seeds}")
    set(seeds "")
  endif()
  add_test(NAME fuzz.${name}
    COMMAND ${target} -max_total_time=15 -timeout=10 -rss_limit_mb=2048
      -artifact_prefix=${corpus}/ "${corpus}" ${seeds})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

function(turbine_bench name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  if(NOT TURBINE_BENCH)
    return()
  endif()
  turbine_targets_of_folders(deps ${arg_DEPS})
  set(target ${name}_bench)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE
    turbine_common turbine_boost turbine_warnings ${deps} ${arg_LIBS}
    benchmark::benchmark benchmark::benchmark_main)
  turbine_use_pch(${target} turbine_pch)
endfunction()

# --- messages --------------------------------------------------------------------------------

# turbine_proto: the C++ of proto/*.proto, included as "proto/x.pb.h".
function(turbine_proto)
  file(GLOB protos CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/proto/*.proto")
  if(NOT protos)
    add_library(turbine_proto INTERFACE)
    return()
  endif()
  set(out "${CMAKE_BINARY_DIR}/gen")
  file(MAKE_DIRECTORY "${out}/proto")
  set(sources "")
  foreach(proto IN LISTS protos)
    cmake_path(GET proto STEM name)
    add_custom_command(
      OUTPUT "${out}/proto/${name}.pb.cc" "${out}/proto/${name}.pb.h"
      COMMAND protobuf::protoc --proto_path=${CMAKE_SOURCE_DIR} --cpp_out=${out}
        ${CMAKE_SOURCE_DIR}/proto/${name}.proto
      DEPENDS ${protos}
      COMMENT "protoc ${name}.proto"
      VERBATIM)
    list(APPEND sources "${out}/proto/${name}.pb.cc" "${out}/proto/${name}.pb.h")
  endforeach()
  add_library(turbine_proto STATIC ${sources})
  target_include_directories(turbine_proto SYSTEM PUBLIC "${out}")
  target_link_libraries(turbine_proto PUBLIC turbine_flags protobuf::libprotobuf)
endfunction()
