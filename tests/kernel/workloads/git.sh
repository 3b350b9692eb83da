# A git repository: init, commits, branches, merge, clone, gc, fsck.
#   git.sh [FILES]
files=${1:-120}
die() { echo "git.sh: $*"; exit 1; }
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a
export GIT_COMMITTER_EMAIL=a@example.com GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_CONFIG_KEY_1=gc.auto GIT_CONFIG_VALUE_1=0

# sums REPOSITORY: of all files in it, links left out.
sums() { (cd "$1" && git ls-files -z | grep -z -v -x link | xargs -0 sha256sum); }
clean() {
  [ -z "$(git -C "$1" status --porcelain)" ] || die "$1: $(git -C "$1" status --porcelain)"
}

git init -q -b main repository
cd repository
i=0
while [ "$i" -lt "$files" ]; do
  mkdir -p "dir-$((i % 7))"
  seq "$i" $((i * 3 + 10)) >"dir-$((i % 7))/file-$i"
  i=$((i + 1))
done
ln -s dir-0/file-0 link
echo 'echo hello' >script
chmod 755 script
git add .
git commit -q -m first
clean .
for round in 1 2 3; do
  for i in 0 1 2 3 4; do echo "round $round" >>"dir-$i/file-$i"; done
  git mv "dir-5/file-$((round * 7 + 5))" "moved-$round"
  git commit -q -a -m "round $round"
done
git checkout -q -b side HEAD~2
echo side >side
git add side
git commit -q -m side
git checkout -q main
git merge -q -m merged side
clean .
git fsck --full --strict || die "fsck of the repository failed"
cd ..

sums repository >/tmp/sums
# file:// makes a pack; a plain path makes hard links.
git clone -q "file://$PWD/repository" packed || die "clone over file:// failed"
git clone -q repository linked || die "clone of the path failed"
for clone in packed linked; do
  git -C "$clone" fsck --full --strict || die "fsck of $clone failed"
  clean "$clone"
  [ "$(git -C "$clone" rev-parse HEAD)" = "$(git -C repository rev-parse HEAD)" ] ||
    die "$clone has another HEAD"
  sums "$clone" | diff /tmp/sums - || die "$clone holds other contents"
done
git -C repository gc -q --prune=now || die "gc failed"
git -C repository fsck --full --strict || die "fsck after gc failed"
[ "$(git -C repository log --oneline | wc -l)" = 6 ] || die "the log has not six commits"
[ -x packed/script ] || die "packed/script has lost its mode"
[ "$(readlink packed/link)" = dir-0/file-0 ] || die "packed/link has lost its target"
echo "two clones of $(git -C repository ls-files | wc -l) files, all sound"
