#!/usr/bin/env bash
# Builds fio with its http and nfs engines from Debian's source package: Debian's own binary has
# neither. Nothing of the system's configuration is changed; missing libraries are installed.
#
#   bench/get-fio.sh [DIR]     into DIR, by default build/fio; prints the path of the binary
set -euo pipefail

die() { echo "get-fio.sh: $*" >&2; exit 1; }
case "${1:-}" in
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
out=$(realpath -m "${1:-$root/build/fio}")
fio=$out/bin/fio

has_engines() {
  [[ -x $fio ]] && "$fio" --enghelp | grep -qw http && "$fio" --enghelp | grep -qw nfs
}
if has_engines; then
  echo "$fio"
  exit 0
fi
command -v apt-get >/dev/null || die "needs apt (Debian 12 or newer)"

as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo)
packages=(ca-certificates dpkg-dev gcc make pkg-config
  libaio-dev libcurl4-openssl-dev libnfs-dev libssl-dev zlib1g-dev)
missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  "${as_root[@]}" apt-get update -q >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
fi

# A private view of apt, with source packages of the suites the system uses.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts"
{
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
} | sed -n 's/^deb /deb-src /p' >"$work/sources.list"
for file in /etc/apt/sources.list.d/*.sources; do
  [[ -e $file ]] && sed 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file")"
done
apt=(apt-get -q
  -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/parts"
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update >&2
(cd "$work" && "${apt[@]}" source fio >&2) || die "apt has no source package of fio"

cd "$work"/fio-*/
./configure --prefix="$out" --disable-native >"$work/configure.log" ||
  { cat "$work/configure.log" >&2; die "fio's configure failed"; }
make -j"$(nproc)" >"$work/make.log" 2>&1 || { tail -20 "$work/make.log" >&2; die "make failed"; }
make install >/dev/null
has_engines || die "fio was built without its http or nfs engine"
echo "$fio"
