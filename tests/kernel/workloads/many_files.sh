exec many_files "$@"
