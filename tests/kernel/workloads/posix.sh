# What POSIX says of files, thousands of checks; the export must not squash root.
#   posix.sh [GROUP...] [--known=FAILURES]
exec posix_checks "$@"
