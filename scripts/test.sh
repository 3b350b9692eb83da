#!/usr/bin/env bash
# Builds Turbine and runs its tests.
#
#   scripts/test.sh              Release: everything but the soak tests
#   scripts/test.sh --soak       the soak tests too (hours)
#   scripts/test.sh --sanitize   unit and sim tests under ASan+UBSan and TSan, and the fuzzers
#
# A skipped test counts as a failure: what can't run here must not look as if it had.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

soak=0 sanitize=0
for arg in "$@"; do
  case "$arg" in
    --soak) soak=1 ;;
    --sanitize) sanitize=1 ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "test.sh: unknown argument $arg" >&2; exit 2 ;;
  esac
done

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/support/lsan.supp:print_suppressions=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
# Libraries that are not instrumented are not watched (RocksDB's threads: src/kv/CMakeLists.txt).
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:ignore_noninstrumented_modules=1}

reports=()

# build_and_run PRESET CTEST_ARGUMENTS...
build_and_run() {
  local preset=$1 dir started=$SECONDS
  shift
  dir=build
  [[ $preset == release ]] || dir=build-$preset
  rm -f "$dir/junit.xml"
  cmake --preset "$preset" >"$preset-configure.log" 2>&1 ||
    { cat "$preset-configure.log"; rm -f "$preset-configure.log"; return 1; }
  rm -f "$preset-configure.log"
  cmake --build --preset "$preset"
  echo "== $preset: built in $((SECONDS - started)) s"
  started=$SECONDS
  ctest --test-dir "$dir" -j2 --output-on-failure --output-junit junit.xml "$@" ||
    true # the summary of junit.xml decides
  [[ -s $dir/junit.xml ]] || { echo "test.sh: ctest left no report in $dir" >&2; return 1; }
  reports+=("$dir/junit.xml")
  echo "== $preset: tested in $((SECONDS - started)) s"
}

scripts/deps.sh --tests

if ((sanitize)); then
  # Random operations of the whole file system: fewer, as each costs ten times as much here.
  export TURBINE_FS_OPERATIONS=${TURBINE_FS_OPERATIONS:-500}
  export TURBINE_SIM_SEEDS=${TURBINE_SIM_SEEDS:-40}
  build_and_run asan -L 'unit|sim|fuzz' -LE soak # one build: the fuzzers are instrumented so too
  build_and_run tsan -L 'unit|sim' -LE soak
elif ((soak)); then
  export TURBINE_SOAK=1
  export TURBINE_FS_OPERATIONS=${TURBINE_FS_OPERATIONS:-100000}
  build_and_run release
else
  build_and_run release -LE soak
fi

echo "== total: $SECONDS s"
scripts/ctest_summary.py "${reports[@]}"
