# Who may what: root, user (1000) and other (1001), with and without root_squash.
#   permissions.sh squashed|trusted     what the export makes of root
# The working directory must be one in which everybody may create files.
die() { echo "permissions.sh: $*"; exit 1; }
as() {
  who=$1
  shift
  su -s /bin/sh "$who" -c "cd $PWD && $*"
}
may() { as "$@" >/tmp/said 2>&1 || die "$1 may not: $2: $(cat /tmp/said)"; }
may_not() { ! as "$@" >/tmp/said 2>&1 || die "$1 may, and should not: $2"; }
owner() { stat -c %u:%g "$1"; }
# Every look at the server's own answer, not at what this client remembers.
forget() { echo 3 >/proc/sys/vm/drop_caches; }

may user 'mkdir home && chmod 755 home && echo secret >home/private && chmod 600 home/private'
may user 'echo public >home/public && chmod 644 home/public'
[ "$(owner home)" = 1000:1000 ] || die "home belongs to $(owner home)"
forget
may user 'cat home/private'
may other 'cat home/public'
may_not other 'cat home/private'
may_not other 'echo x >home/public'
may_not other 'echo x >home/new'
may_not other 'rm -f home/public && ! test -e home/public'
may_not other 'mv home/public home/mine'
may_not other 'chmod 666 home/public'
may_not other 'chown other home/public'
may_not user 'chown other home/public'
may_not other 'touch -d 2001-01-01 home/public'
may user 'chmod 711 home'
forget
may other 'cat home/public'
may_not other 'ls home'
may user 'chmod 700 home'
forget
may_not other 'cat home/public'
may user 'echo "echo ran" >home/tool && chmod 755 home home/tool'
may other './home/tool'
may user 'chmod 644 home/tool'
forget
may_not other './home/tool'

# A sticky directory: everybody creates, only owners remove.
may user 'mkdir shared && chmod 1777 shared && echo u >shared/u'
may other 'echo o >shared/o'
may_not other 'mv shared/u shared/x'
may_not other 'rm -f shared/u && ! test -e shared/u'
may user 'rm shared/o' # the directory's owner may
may other 'echo o >shared/o'

echo root >shared/r
case $1 in
  squashed)
    [ "$(owner shared/r)" = 65534:65534 ] || die "root's file belongs to $(owner shared/r)"
    forget
    if cat home/private 2>/dev/null; then die "root reads what is private"; fi
    if chown 1001 shared/r 2>/dev/null; then die "root gives files away"; fi
    if rm -f shared/u 2>/dev/null && [ ! -e shared/u ]; then die "root removes what is user's"; fi
    ;;
  trusted)
    [ "$(owner shared/r)" = 0:0 ] || die "root's file belongs to $(owner shared/r)"
    [ "$(cat home/private)" = secret ] || die "root can't read what is private"
    chown 1001:1000 shared/r || die "root can't give files away"
    [ "$(owner shared/r)" = 1001:1000 ] || die "the file given away belongs to $(owner shared/r)"
    rm -f shared/u && [ ! -e shared/u ] || die "root can't remove what is user's"
    ;;
  *) die "say squashed or trusted" ;;
esac
echo "permissions are kept, root is $1"
