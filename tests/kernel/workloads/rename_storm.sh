exec rename_storm "$@"
