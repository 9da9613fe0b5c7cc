# PostgreSQL beside SQLite: the time of calls and pushes, and calls a second. Sourced by scripts/bench.
# The server of the database flushes its log to the disk, as users' servers do. Environment: BENCH_EVENTS (1000000), the events of a history.

bench_database() {
    echo "### Databases: SQLite and PostgreSQL, on the same disk"
    echo
    POSTGRES_FSYNC=on POSTGRES_PARENT=$work scripts/postgres .venv/bin/python scripts/benchmarks/database.py \
        "$binary" "$work/database" "$seconds" "$runs"
    echo
    local events=${BENCH_EVENTS:-1000000}
    make_history "$work/database-history" "$events" delivered
    POSTGRES_FSYNC=on POSTGRES_PARENT=$work scripts/postgres .venv/bin/python scripts/benchmarks/database_history.py \
        "$binary" "$work/database-history" "$events"
    rm -rf "$work/database-history" "$work/database-history-moved"
    echo
}
