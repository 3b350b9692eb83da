# Sparse files: holes read as zeros and take no space, sizes up to 8 TiB.
die() { echo "sparse.sh: $*"; exit 1; }
size() { stat -c %s "$1"; }
# at OFFSET COUNT: so many bytes in hexadecimal, not from the client's cache.
at() {
  echo 3 >/proc/sys/vm/drop_caches
  tail -c +$(($1 + 1)) f | head -c "$2" | hexdump -v -e '/1 "%02x"'
}
# put OFFSET TEXT
put() { printf %s "$2" | dd of=f bs=1 seek="$1" conv=notrunc 2>/dev/null; }

put 0 head
put $((5 * 1048576 + 3)) middle
[ "$(size f)" = $((5 * 1048576 + 9)) ] || die "size $(size f) after a write behind the end"
[ "$(at 0 8)" = 6865616400000000 ] || die "the head is $(at 0 8)"
[ "$(at $((5 * 1048576)) 9)" = 0000006d6964646c65 ] || die "the end is $(at $((5 * 1048576)) 9)"
[ "$(head -c 5000000 f | tail -c +5 | tr -d '\000' | wc -c)" = 0 ] || die "the hole is not zeros"

# What was cut off must not come back.
truncate -s 2 f
truncate -s 100 f
[ "$(at 0 6)" = 686500000000 ] || die "after truncation to 2 and 100 bytes: $(at 0 6)"
[ "$(size f)" = 100 ] || die "size $(size f) instead of 100"
put $((1048576 - 2)) across
[ "$(at 1048572 10)" = 00006163726f7373 ] || die "across 1 MiB: $(at 1048572 10)"

# Far away. Reading is by dd, which seeks.
far=$((8 * 1024 * 1024 * 1024 * 1024))
printf far | dd of=g bs=1048576 seek=$((far / 1048576)) conv=notrunc 2>/dev/null
[ "$(size g)" = $((far + 3)) ] || die "size $(size g) instead of $((far + 3))"
echo 3 >/proc/sys/vm/drop_caches
[ "$(dd if=g bs=1048576 skip=$((far / 1048576)) 2>/dev/null)" = far ] || die "8 TiB away: not 'far'"
half=$(dd if=g bs=1048576 skip=$((far / 2097152)) count=1 2>/dev/null | tr -d '\000' | wc -c)
[ "$half" = 0 ] ||
  die "4 TiB away: not zeros"
[ "$(stat -c %b g)" -lt 20000 ] || die "a file of three bytes takes $(stat -c %b g) blocks"
truncate -s $((far / 2)) g
[ "$(size g)" = $((far / 2)) ] || die "size $(size g) instead of $((far / 2))"
rm f g
echo "holes are zeros and free"
