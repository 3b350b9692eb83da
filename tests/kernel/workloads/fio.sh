# fio with checksums inside the blocks, buffered and direct; verified at once, and once more after
# the client has forgotten all pages.
#   fio.sh [SIZE]
size=${1:-12m}
die() { echo "fio.sh: $*"; exit 1; }
run() { fio "$@" >log 2>&1 || { cat log; die "$name: failed"; }; }
for name in buffered direct mixed; do
  set -- --name="$name" --rw=randwrite --bs=16k --size="$size" --ioengine=psync --thread \
    --verify=crc32c --verify_fatal=1 --verify_dump=0 --randseed=42 --fallocate=none
  case $name in
    direct) set -- "$@" --direct=1 ;;
    mixed) set -- "$@" --direct=1 --bsrange=4k-256k ;;
  esac
  run "$@" --do_verify=1 --fsync=64
  if [ "$name" != mixed ]; then # fio can't look again at blocks of many sizes
    echo 3 >/proc/sys/vm/drop_caches
    run "$@" --verify_only
  fi
  echo "$name: $size written and read back, all checksums right"
done
