#!/usr/bin/env bash
# An array over three hosts in network namespaces: each host has a manager, two blades and a
# gateway, etcd stands beside them. Whole hosts are cut off and come back while clients write.
#
#   scripts/netns-array.sh               start, cut off each host once under load, verify, stop
#   scripts/netns-array.sh --keep        leave it running; prints how to reach and how to stop it
#
# Wants root, build/turbine (scripts/quickstart.sh --build-only) and the package etcd-server.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

keep=0
case "${1:-}" in
  "") ;;
  --keep) keep=1 ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "netns-array.sh: unknown argument $1 (see --help)" >&2; exit 2 ;;
esac
turbine=$PWD/build/turbine
say() { printf '\n== %s\n' "$*"; }
die() { echo "netns-array.sh: $*; logs in $dir" >&2; exit 1; }

dir=$(mktemp -d /tmp/turbine-netns-XXXXXX)
[[ $EUID == 0 ]] || die "wants root, to make network namespaces"
[[ -x $turbine ]] || die "build/turbine is not there: run scripts/quickstart.sh --build-only"
command -v etcd >/dev/null || die "etcd is not there: apt install etcd-server"

tag=tb$$ # of this run's namespaces
net=10.77.0
pids=()

stop_all() {
  ((${#pids[@]})) && kill -9 "${pids[@]}" 2>/dev/null
  wait 2>/dev/null
  for name in net store h1 h2 h3; do ip netns del "$tag-$name" 2>/dev/null || true; done
}
trap stop_all EXIT

# --- the network: a bridge, and one cable to each host -----------------------------------------
ip netns add "$tag-net"
ip -n "$tag-net" link set lo up
ip -n "$tag-net" link add br0 type bridge
ip -n "$tag-net" addr add "$net.1/24" dev br0
ip -n "$tag-net" link set br0 up
plug() { # NAME ADDRESS
  ip netns add "$tag-$1"
  ip -n "$tag-$1" link set lo up
  ip -n "$tag-$1" link add eth0 type veth peer name "to-$1" netns "$tag-net"
  ip -n "$tag-$1" addr add "$net.$2/24" dev eth0
  ip -n "$tag-$1" link set eth0 up
  ip -n "$tag-net" link set "to-$1" master br0 up
}
plug store 10
for h in 1 2 3; do plug "h$h" "1$h"; done
cut_off() { ip -n "$tag-net" link set "to-$1" down; }
plug_in() { ip -n "$tag-net" link set "to-$1" up; }

# --- the processes -----------------------------------------------------------------------------
start() { # NAMESPACE LOG COMMAND…
  local where=$1 log=$2
  shift 2
  ip netns exec "$tag-$where" "$@" >>"$dir/$log.log" 2>&1 &
  pids+=($!)
}
hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
array_id=$(hex 16) secret=$(hex 20) token=$(hex 20)
access_key=NETNS0ACCESS0KEY0001 secret_key=$(hex 20)
managers="tcp:$net.11:7000,tcp:$net.12:7000,tcp:$net.13:7000"

start store etcd etcd --data-dir "$dir/etcd" --listen-client-urls "http://$net.10:2379" \
  --advertise-client-urls "http://$net.10:2379" --listen-peer-urls "http://127.0.0.1:2380"
for h in 1 2 3; do
  here=$net.1$h
  cat >"$dir/manager-$h.toml" <<END
[array]
id = "$array_id"
name = "netns"
secret = "$secret"
region = "us-east-1"
root_access_key = "$access_key"
root_secret_key = "$secret_key"
partitions = 64
blades = 6
[store]
address = "etcd://$net.10:2379"
[network]
rpc = "tcp:$here:7000"
managers = "$managers"
admin_host = "$here"
admin_port = 9090
admin_token = "$token"
END
  start "h$h" "manager-$h" "$turbine" manager --config "$dir/manager-$h.toml"
  for b in $((2 * h - 1)) $((2 * h)); do
    mkdir "$dir/blade-$b"
    cat >"$dir/blade-$b.toml" <<END
[blade]
id = $b
array_id = "$array_id"
incarnation = "$(hex 8)"
secret = "$secret"
host = "h$h"
[storage]
directory = "$dir/blade-$b"
device = "$dir/blade-$b.img"
device_bytes = 1073741824
[network]
manager = "$managers"
rpc = "tcp:$here:700$b"
http_host = "$here"
http_port = 910$b
END
    start "h$h" "blade-$b" "$turbine" blade --config "$dir/blade-$b.toml"
  done
  cat >"$dir/gateway-$h.toml" <<END
[gateway]
name = "gateway-$h"
secret = "$secret"
region = "us-east-1"
[network]
manager = "$managers"
rpc = "tcp:$here:7100"
s3_host = "$here"
s3_port = 9000
http_host = "$here"
http_port = 9151
END
  start "h$h" "gateway-$h" "$turbine" gateway --config "$dir/gateway-$h.toml"
done

client() { ip netns exec "$tag-net" "$@"; }
status() {
  client env TURBINE_ADMIN="http://$net.11:9090,http://$net.12:9090,http://$net.13:9090" \
    TURBINE_TOKEN="$token" "$turbine" status
}
wait_whole() { # SECONDS
  local end=$((SECONDS + $1))
  until status >"$dir/status" 2>&1; do
    ((SECONDS < end)) || { cat "$dir/status" >&2; die "the array is not whole after $1 s"; }
    sleep 0.2
  done
}

# s3 METHOD GATEWAY PATH [curl arguments]: prints the HTTP status.
s3() {
  local method=$1 gateway=$2 path=$3
  shift 3
  client curl -s -o "$dir/answer" -w '%{http_code}' --max-time 12 --connect-timeout 2 \
    -X "$method" --aws-sigv4 "aws:amz:us-east-1:s3" -u "$access_key:$secret_key" \
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" "http://$net.1$gateway:9000$path" || true
}
# As an SDK with all gateways in its list: another one when one does not answer.
put() { # KEY
  local try status
  for try in 1 2 3 4; do
    status=$(s3 PUT $(((turn + try) % 3 + 1)) "/netns/$1" --data-binary "content of $1")
    [[ $status == 200 ]] && return 0
  done
  echo "writing $1 answered ${status:-nothing}" >&2
  return 1
}

say "starting three hosts with two blades each"
wait_whole 60
until [[ $(s3 PUT 1 /netns) == 200 ]]; do sleep 0.2; done
for h in 2 3; do until [[ $(s3 GET "$h" /netns) == 200 ]]; do sleep 0.2; done; done
tail -n 1 "$dir/status"

# --- cut hosts off, one after the other ----------------------------------------------------------
count=0 turn=0 longest=0
write_for() { # SECONDS
  local end=$((SECONDS + $1)) before
  while ((SECONDS < end)); do
    before=$(date +%s%3N)
    turn=$((turn + 1))
    put "d$((count % 7))/k$count" || die "a write failed"
    count=$((count + 1))
    local took=$(($(date +%s%3N) - before))
    ((took > longest)) && longest=$took
  done
  return 0
}
write_for 2
for h in 1 2 3; do
  say "host h$h is cut off: two blades, a manager and a gateway"
  cut_off "h$h"
  write_for 8
  plug_in "h$h"
  write_for 2
  wait_whole 60
  echo "back and whole; $count objects written, the longest took $longest ms"
done

say "etcd is cut off: service goes on"
cut_off store
write_for 5
plug_in store

say "reading all $count objects"
for ((i = 0; i < count; ++i)); do
  [[ $(s3 GET $((i % 3 + 1)) "/netns/d$((i % 7))/k$i") == 200 ]] || die "k$i can't be read"
  [[ $(<"$dir/answer") == "content of d$((i % 7))/k$i" ]] || die "k$i holds something else"
done
echo "all $count are there; no write failed, the longest took $longest ms"
if ((keep)); then
  trap - EXIT
  say "left running"
  echo "  ip netns exec $tag-net env TURBINE_ADMIN=http://$net.11:9090 TURBINE_TOKEN=$token $turbine status"
  echo "  stop it: kill ${pids[*]}; for n in net store h1 h2 h3; do ip netns del $tag-\$n; done"
else
  stop_all
  trap - EXIT
  rm -rf "$dir"
fi
