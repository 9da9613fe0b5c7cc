# Several nodes on one database. Sourced by scripts/bench.
# The server of the database flushes its log to the disk, as users' servers do.

bench_cluster() {
    echo "### Nodes on one database"
    echo
    POSTGRES_FSYNC=on POSTGRES_PARENT=$work scripts/postgres .venv/bin/python scripts/benchmarks/cluster.py \
        "$binary" "$work/cluster" "$seconds" "$runs"
    echo
}
