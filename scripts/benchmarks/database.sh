# PostgreSQL beside SQLite: the time of calls and pushes, and calls a second. Sourced by scripts/bench.
# The server of the database flushes its log to the disk, as users' servers do.

bench_database() {
    echo "### Databases: SQLite and PostgreSQL, on the same disk"
    echo
    POSTGRES_FSYNC=on POSTGRES_PARENT=$work scripts/postgres .venv/bin/python scripts/benchmarks/database.py \
        "$binary" "$work/database" "$seconds" "$runs"
    echo
}
