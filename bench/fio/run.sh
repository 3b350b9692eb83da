#!/usr/bin/env bash
# Runs a job file of this folder against a running array.
#
#   bench/fio/run.sh DIR bench/fio/s3-4m.fio [fio's own arguments]
#   bench/fio/run.sh DIR bench/fio/nfs-1m.fio
#
# FIO names the binary; by default build/fio/bin/fio, which bench/get-fio.sh builds.
set -euo pipefail

die() { echo "run.sh: $*" >&2; exit 1; }
[[ $# -ge 2 ]] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$1
shift
fio=${FIO:-$root/build/fio/bin/fio}
[[ -x $fio ]] || die "no fio at $fio: run bench/get-fio.sh"
[[ -r $dir/env ]] || die "$dir/env can't be read: is an array there?"

set -a
# shellcheck disable=SC1091
. "$dir/env"
set +a
export S3_HOST=${AWS_ENDPOINT_URL#http://}
nfs_port=$(sed -n 's/^nfs_port *= *//p' "$dir/array.toml")
export NFS_URL="nfs://127.0.0.1/bench-fio?nfsport=$nfs_port&mountport=$nfs_port"
turbine=${TURBINE:-$root/build/turbine}
"$turbine" bucket create bench-fio --dir "$dir" >/dev/null 2>&1 || [[ $? == 4 ]] ||
  die "the bucket bench-fio can't be made"
rule='127.0.0.0/8(rw,no_root_squash,insecure)'
"$turbine" export set bench-fio --rule "$rule" --dir "$dir" >/dev/null ||
  die "the bucket bench-fio can't be exported"
exec "$fio" "$@"
