#!/usr/bin/env bash
# Installs what is missing of the Debian packages that Turbine needs. Idempotent.
#
#   scripts/deps.sh            to build and run
#   scripts/deps.sh --tests    also the S3 and NFS clients that the tests drive
set -euo pipefail

build=(
  ccache clang-19 clang-format-19 clang-tidy-19 cmake curl git libclang-rt-19-dev libstdc++-12-dev
  lld-19 ninja-build pkg-config protobuf-compiler python3
  libbenchmark-dev libboost1.81-dev libcli11-dev libfmt-dev libgmock-dev libgtest-dev libisal-dev
  libmimalloc-dev libnfs-dev libnfs-utils libprotobuf-dev libpugixml-dev librapidcheck-dev
  librocksdb-dev libspdlog-dev libssl-dev libtomlplusplus-dev liburing-dev libxxhash-dev zlib1g-dev
)
tests=(
  awscli cpp etcd-server fuse3 iproute2 libtirpc-dev nfs-common python3-boto3 python3-venv rclone
  restic rpcbind rpcsvc-proto s3cmd s3fs
  # the kernel client of tests/kernel, and what runs in it
  busybox-static cpio fio libc6-dev linux-libc-dev lz4 make qemu-system-x86 tcc
)

die() { echo "deps.sh: $*" >&2; exit 1; }

packages=("${build[@]}")
for arg in "$@"; do
  case "$arg" in
    --tests) packages+=("${tests[@]}") ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "unknown argument $arg (there is only --tests)" ;;
  esac
done

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
  die "needs apt (Debian 12 or newer). Elsewhere install by hand: ${packages[*]}"

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if [[ ${#missing[@]} == 0 ]]; then
  exit 0
fi

as_root=()
if [[ $(id -u) != 0 ]]; then
  command -v sudo >/dev/null ||
    die "not root and no sudo. As root, run: apt-get install --no-install-recommends ${missing[*]}"
  as_root=(sudo)
fi

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "${missing[@]}" ||
  die "apt-get failed. Debian 12 has all of these packages: ${missing[*]}"
