#!/usr/bin/env bash
# Turbine (3 replicas, 4+2, 6 blades) and nfs-ganesha (one ext4, no redundancy) on this machine,
# loaded in turn with the same calls: rates, their ratio, and server CPU for each call.
#
#   bench/compare-ganesha.sh [ARGUMENTS of bench/compare_nfs.py: --quick, --only TEXT, --rounds N]
#
# Installs nfs-ganesha by apt. Needs root. ganesha exports an ext4 file system of its own, in an
# image that is mounted by loop, through its VFS back end. It insists on a port mapper, so all of
# this runs in a network and mount namespace of its own: no port and no mount of the machine is
# touched. Files lie in a directory below build/, or below $BENCH_DIR.
set -euo pipefail

die() { echo "compare-ganesha.sh: $*" >&2; exit 1; }
case "${1:-}" in
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)

if [[ ${TURBINE_BENCH_NAMESPACE:-} != 1 ]]; then
  [[ $(id -u) == 0 ]] || die "needs root, for a loop mount and namespaces"
  [[ -x $root/build/turbine && -x $root/build/turbine-nfs-load ]] ||
    die "no build/turbine or build/turbine-nfs-load: build the release preset first"
  missing=()
  for package in e2fsprogs iproute2 nfs-ganesha nfs-ganesha-vfs rpcbind; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
  done
  if [[ ${#missing[@]} -gt 0 ]]; then
    apt-get update -q >&2
    # Its service must not start on the machine's own ports.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
  fi
  work=$(mktemp -d "${BENCH_DIR:-$root/build}/compare-ganesha-XXXXXX")
  code=0
  TURBINE_BENCH_NAMESPACE=1 BENCH_WORK=$work \
    unshare --net --mount --propagation private --pid --fork --mount-proc --kill-child \
    "$0" "$@" || code=$?
  rm -rf "$work"
  exit "$code"
fi

work=$BENCH_WORK
ip link set lo up
mount -t tmpfs none /run
mkdir -p /run/rpcbind /run/dbus
rpcbind -f -w &

truncate -s "${BENCH_IMAGE_SIZE:-12G}" "$work/ext4.img"
mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$work/ext4.img"
mkdir "$work/export" "$work/ganesha"
mount -o loop "$work/ext4.img" "$work/export"
cat >"$work/ganesha.conf" <<CONF
NFS_CORE_PARAM {
  NFS_Port = 32049; MNT_Port = 32050; Protocols = 3;
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
}
NFSv4 { RecoveryBackend = fs; Graceless = true; }
EXPORT {
  Export_Id = 1; Path = $work/export; Pseudo = /bench; Access_Type = RW; Squash = No_Root_Squash;
  Protocols = 3; Transports = TCP; SecType = sys;
  FSAL { Name = VFS; }
}
CONF
ganesha.nfsd -F -f "$work/ganesha.conf" -L "$work/ganesha.log" -p "$work/ganesha.pid" -N EVENT &
ganesha=$!
for ((tries = 0; ; tries++)); do
  [[ $(ss -Hltn 'sport = 32049 or sport = 32050' | wc -l) -lt 2 ]] || break
  kill -0 "$ganesha" 2>/dev/null && [[ $tries -lt 300 ]] ||
    { tail -20 "$work/ganesha.log" >&2; die "ganesha does not serve"; }
  sleep 0.1
done

code=0
"$root/bench/compare_nfs.py" --work "$work" --ganesha-export "$work/export" \
  --ganesha-port 32049 --ganesha-mount-port 32050 --ganesha-pid "$ganesha" "$@" || code=$?
kill "$ganesha"
wait "$ganesha" || true
umount "$work/export"
exit "$code"
