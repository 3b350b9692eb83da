#!/usr/bin/env bash
# From a fresh checkout to a running array, proven with a killed blade.
#
#   scripts/quickstart.sh                install, build, start ./array, write, kill a blade, read
#   scripts/quickstart.sh --dir DIR      the array's directory (./array)
#   scripts/quickstart.sh --build-only   stop after the build of build/turbine
#
# What follows `--` goes to `turbine up`: scripts/quickstart.sh -- --s3-port 9100 --admin-port 9190
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build_only=0 dir=array up_flags=()
while (($#)); do
  case "$1" in
    --build-only) build_only=1 ;;
    --dir) dir=${2:?--dir wants a directory}; shift ;;
    --) shift; up_flags=("$@"); break ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: unknown argument $1 (see --help)" >&2; exit 2 ;;
  esac
  shift
done

say() { printf '\n== %s\n' "$*"; }
die() { echo "quickstart.sh: $*" >&2; exit 1; }

scripts/deps.sh
[[ -f build/build.ninja ]] || cmake --preset release
cmake --build --preset release --target turbine
((build_only)) && { echo "built build/turbine"; exit 0; }
turbine=build/turbine

# --- start, or go on with the array of an earlier run -----------------------------------------
say "starting an array in $dir"
if $turbine status --dir "$dir" >/dev/null 2>&1; then
  echo "it is up already"
else
  # What is left of an array with dead processes comes down first.
  [[ -f $dir/array.toml ]] && $turbine down --dir "$dir" >/dev/null
  $turbine up --dir "$dir" "${up_flags[@]}"
fi
# shellcheck disable=SC1091
. "$dir/env"

# --- write --------------------------------------------------------------------------------------
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bucket=quickstart-$(date +%s)
count=40

# s3 METHOD PATH OUTPUT [curl arguments]: prints the HTTP status.
s3() {
  local method=$1 path=$2 output=$3
  shift 3
  curl -sS -o "$output" -w '%{http_code}' --max-time 30 -X "$method" \
    --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:s3" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@" "$AWS_ENDPOINT_URL$path"
}

say "writing $count objects through S3 into the bucket $bucket"
status=$(s3 PUT "/$bucket" /dev/null)
[[ $status == 200 ]] || die "making the bucket answered $status"
for ((i = 1; i <= count; ++i)); do
  size=$((i % 4 == 0 ? 4000000 : i % 2 == 0 ? 200000 : 1000 * i))
  head -c "$size" /dev/urandom >"$work/$i"
  status=$(s3 PUT "/$bucket/part-$((i % 8))/object-$i" /dev/null -T "$work/$i")
  [[ $status == 200 ]] || die "writing object-$i answered $status"
done

# verify WHAT: reads all; 200 must be the same bytes; 503 counts as refused.
verify() {
  local same=0 refused=0 i
  for ((i = 1; i <= count; ++i)); do
    status=$(s3 GET "/$bucket/part-$((i % 8))/object-$i" "$work/read")
    case $status in
      200) cmp -s "$work/$i" "$work/read" || die "object-$i came back with other bytes"
           same=$((same + 1)) ;;
      503) refused=$((refused + 1)) ;;
      *) die "reading object-$i answered $status" ;;
    esac
  done
  echo "$1: $same of $count read back identical, $refused answered 503"
  [[ $same -gt 0 ]] || die "nothing could be read"
  unreadable=$refused
}
verify "all blades alive"
[[ $unreadable == 0 ]] || die "objects are unreadable although all blades are alive"

# --- lose a blade ---------------------------------------------------------------------------------
victim=2
say "killing blade $victim with SIGKILL"
kill -9 "$(cat "$dir/run/blade-$victim.pid")"
for ((i = 0; i < 100; ++i)); do
  code=0
  $turbine status --dir "$dir" >"$work/status" 2>&1 || code=$?
  ((code >= 10)) && break
  sleep 0.1
done
tail -n 1 "$work/status"
verify "blade $victim dead"
echo "(names live on one blade until replication lands: those of the dead blade answer 503)"

say "starting blade $victim again"
$turbine blade start "$victim" --dir "$dir"
for ((i = 0; i < 100; ++i)); do
  $turbine status --dir "$dir" >"$work/status" 2>&1 && break
  sleep 0.1
done
verify "blade $victim back"
[[ $unreadable == 0 ]] || die "objects are unreadable although all blades are back"

# --- what now ----------------------------------------------------------------------------------
say "the array runs on"
cat <<END
  S3 endpoint  $AWS_ENDPOINT_URL   (region $AWS_DEFAULT_REGION, path-style)
  access key   $AWS_ACCESS_KEY_ID
  secret key   $AWS_SECRET_ACCESS_KEY

  . $dir/env                       sets these for the commands below
  build/turbine status             how the array is
  build/turbine stats --count 0    what it does, live
  aws --endpoint-url \$AWS_ENDPOINT_URL s3 ls s3://$bucket
  build/turbine down --dir $dir   stops it; the data stays
END
