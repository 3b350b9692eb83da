# Random I/O against a model: cached, then O_SYNC, then O_DIRECT. Arguments go to each.
random_io "$@"
random_io --sync --bytes-max=200000 --operations=300 "$@"
random_io --direct --bytes-max=3000000 --operations=300 "$@"
