# A tree goes into the mount through tar and comes out again: names, contents, modes, times, links.
#   tar.sh [FILES]
# /usr/bin/tar: busybox's shell would take its own, which forgets the times of directories.
files=${1:-200}
die() { echo "tar.sh: $*"; exit 1; }
here=$PWD
tree=/tmp/tree.$$ back=/tmp/back.$$

make_tree() {
  mkdir -p "$tree/empty" "$tree/a/b/c/d"
  i=0
  while [ "$i" -lt "$files" ]; do
    directory=$tree/a/d-$((i % 9))
    mkdir -p "$directory"
    head -c $((i * i % 50000)) /dev/urandom >"$directory/file $i"
    chmod "$((i % 8))$((i % 7))$((i % 5))" "$directory/file $i"
    i=$((i + 1))
  done
  head -c 3000000 /dev/urandom >"$tree/big"
  truncate -s 2000000 "$tree/hole"
  ln "$tree/big" "$tree/a/hard"
  ln -s ../big "$tree/a/soft"
  ln -s /does/not/exist "$tree/broken"
  touch "$tree/$(printf '\303\244\303\266-%0100d' 7)" "$tree/ leading" "$tree/$(printf 'new\nline')"
  touch -d '2001-02-03 04:05:06' "$tree/a/d-1/file 1"
  touch -d '2038-06-07 08:09:10' "$tree/a/d-2/file 2"
  chmod 4755 "$tree/a/d-3/file 3"
  chmod 1777 "$tree/empty"
  find "$tree" -type d -exec touch -d '2010-01-01 00:00:00' {} +
}

# Everything that must be the same: directories without size and links, which are the file system's.
describe() {
  (
    cd "$1"
    find . ! -type d ! -type l -exec stat -c '%N %F %a %s %h %Y' {} + | sort
    find . -type d -exec stat -c '%N %F %a %Y' {} + | sort
    find . -type l -exec stat -c '%N' {} + | sort
    find . -type f -exec sha256sum {} + | sort
  )
}

make_tree
describe "$tree" >/tmp/expected
/usr/bin/tar -C "$tree" -cf "$here/tree.tar" .
mkdir "$here/tree"
/usr/bin/tar -C "$here/tree" -xpf "$here/tree.tar" --warning=no-timestamp --no-same-owner
echo 3 >/proc/sys/vm/drop_caches
describe "$here/tree" >/tmp/found
diff /tmp/expected /tmp/found || die "the tree in the mount differs from what was packed"
/usr/bin/tar -C "$here/tree" -df "$here/tree.tar" >/tmp/differ 2>&1 || true
! grep -v -i -e 'uid differs' -e 'gid differs' -e 'in the future' /tmp/differ ||
  die "tar --diff finds differences"
mkdir "$back"
/usr/bin/tar -C "$here/tree" -cf - . |
  /usr/bin/tar -C "$back" --warning=no-timestamp -xpf -
describe "$back" >/tmp/found
diff /tmp/expected /tmp/found || die "the tree that came back differs"
find "$here/tree" -type d -exec chmod u+rwx {} +
rm -r "$here/tree"
[ ! -e "$here/tree" ] || die "the tree is still there after rm -r"
rm -r "$tree" "$back"
echo "$files files in and out, nothing differs"
