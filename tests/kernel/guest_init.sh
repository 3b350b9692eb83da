#!/bin/busybox sh
# The guest's first process: brings up devices, clock and network, then does what the host says.
#
# Host and guest talk over one virtio port, in lines:
#   host:  NUMBER SHELL-TEXT     run it, beside whatever else runs
#   guest: ready                 once
#          NUMBER | LINE         the command wrote LINE (standard output and error)
#          NUMBER = STATUS       and ended
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
chmod 1777 /tmp /dev/shm
ln -s /proc/self/fd /dev/fd

# The host puts these into the second archive.
. /run.d/settings
for module in virtio_pci virtio_console virtio_net; do
  modprobe "$module" || echo "init: no module $module"
done
hostname "$NAME"
echo "127.0.0.1 localhost $NAME" >/etc/hosts
ip link set lo up
ip link set eth0 up
ip addr add "$ADDRESS/24" dev eth0 || echo "init: no network"

tries=0
until [ -e /dev/vport*p1 ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 1000 ]; then
    echo "init: no virtio port"
    poweroff -f
  fi
  sleep 0.01
done
port=$(echo /dev/vport*p1)
exec 3<>"$port"

# perform NUMBER TEXT
perform() {
  {
    sh -c "$2" </dev/null 3>&-
    echo $? >"/run/status.$1"
  } 2>&1 | while IFS= read -r line || [ -n "$line" ]; do
    echo "$1 | $line" >&3
  done
  echo "$1 = $(cat "/run/status.$1")" >&3
}

echo ready >&3
while read -r number text <&3; do
  perform "$number" "$text" &
done
echo "init: the host has gone"
poweroff -f
