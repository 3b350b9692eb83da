#!/usr/bin/env bash
# From a fresh checkout to a running array, proven over S3 and NFS and with two killed blades.
#
#   scripts/quickstart.sh                install, build, start ./array, lose two blades, verify
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
nfs=nfs://127.0.0.1 nfs_options="version=3&nfsport=$TURBINE_NFS_PORT&mountport=$TURBINE_NFS_PORT"
count=40

# s3 METHOD PATH OUTPUT [curl arguments]: prints the HTTP status.
s3() {
  local method=$1 path=$2 output=$3
  shift 3
  curl -sS -o "$output" -w '%{http_code}' --max-time 30 -X "$method" \
    --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:s3" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@" "$AWS_ENDPOINT_URL$path"
}

# write FROM TO: objects of random bytes and several sizes.
write() {
  local i size
  for ((i = $1; i <= $2; ++i)); do
    size=$((i % 4 == 0 ? 4000000 : i % 2 == 0 ? 200000 : 1000 * i))
    head -c "$size" /dev/urandom >"$work/$i"
    status=$(s3 PUT "/$bucket/part-$((i % 8))/object-$i" /dev/null -T "$work/$i")
    [[ $status == 200 ]] || die "writing object-$i answered $status"
  done
}

# verify COUNT WHAT: reads all, which must be the bytes that were written.
verify() {
  local i
  for ((i = 1; i <= $1; ++i)); do
    status=$(s3 GET "/$bucket/part-$((i % 8))/object-$i" "$work/read")
    [[ $status == 200 ]] || die "reading object-$i answered $status"
    cmp -s "$work/$i" "$work/read" || die "object-$i came back with other bytes"
  done
  echo "$2: $1 of $1 objects read back identical"
}

# verify_files COUNT: reads all as files, over NFS.
verify_files() {
  local i
  for ((i = 1; i <= $1; ++i)); do
    nfs-cat "$nfs/$bucket/part-$((i % 8))/object-$i?$nfs_options" >"$work/read" ||
      die "object-$i could not be read over NFS"
    cmp -s "$work/$i" "$work/read" || die "object-$i came back over NFS with other bytes"
  done
  echo "as files over NFS: $1 of $1 read back identical"
}

# await CONDITION: until it is true of the exit code of `turbine status`; prints the last line.
await() {
  local i code
  for ((i = 0; i < 300; ++i)); do
    code=0
    $turbine status --dir "$dir" >"$work/status" 2>&1 || code=$?
    (($1)) && { tail -n 1 "$work/status"; return; }
    sleep 0.1
  done
  die "turbine status exits $code: $(tail -n 1 "$work/status")"
}

say "writing $count objects through S3 into the bucket $bucket"
status=$(s3 PUT "/$bucket" /dev/null)
[[ $status == 200 ]] || die "making the bucket answered $status"
write 1 "$count"
verify "$count" "all blades alive"
verify_files "$count"
say "writing a file over NFS and reading it through S3"
head -c 3000000 /dev/urandom >"$work/file"
nfs-cp "$work/file" "$nfs/$bucket/by-nfs?$nfs_options" || die "the file could not be written"
status=$(s3 GET "/$bucket/by-nfs" "$work/read")
[[ $status == 200 ]] && cmp -s "$work/file" "$work/read" || die "S3 reads other bytes ($status)"
echo "the same bytes"

# --- lose two blades ------------------------------------------------------------------------------
victims=(2 3)
say "killing blades ${victims[*]} with SIGKILL"
for victim in "${victims[@]}"; do kill -9 "$(cat "$dir/run/blade-$victim.pid")"; done
write $((count + 1)) $((2 * count))
verify $((2 * count)) "two blades dead, $count objects more"
await 'code == 10 || code == 11'

say "starting them again"
for victim in "${victims[@]}"; do $turbine blade start "$victim" --dir "$dir"; done
await 'code == 0'
verify $((2 * count)) "all blades back"

# --- what now ----------------------------------------------------------------------------------
say "the array runs on"
mount_options=vers=3,proto=tcp,port=$TURBINE_NFS_PORT,mountport=$TURBINE_NFS_PORT,nolock
cat <<END
  S3 endpoint  $AWS_ENDPOINT_URL   (region $AWS_DEFAULT_REGION, path-style)
  access key   $AWS_ACCESS_KEY_ID
  secret key   $AWS_SECRET_ACCESS_KEY
  NFS mount    mount -t nfs -o $mount_options 127.0.0.1:/$bucket /mnt

  . $dir/env                       sets these for the commands below
  build/turbine status             how the array is
  build/turbine stats --count 0    what it does, live
  aws --endpoint-url \$AWS_ENDPOINT_URL s3 ls s3://$bucket
  build/turbine down --dir $dir   stops it; the data stays
END
