#!/usr/bin/env bash
# From a fresh checkout to a running array.
#
#   scripts/quickstart.sh                install, build, `turbine up`
#   scripts/quickstart.sh --build-only   install and build build/turbine
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_only=0
for arg in "$@"; do
  case "$arg" in
    --build-only) build_only=1 ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: unknown argument $arg" >&2; exit 2 ;;
  esac
done

scripts/deps.sh
cmake --preset release
cmake --build --preset release --target turbine
echo "built build/turbine"
((build_only)) || exec build/turbine up
