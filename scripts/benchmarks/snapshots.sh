# How long a reset, a snapshot and a restore take, beside a copy of the data folder and another start. Sourced by scripts/bench.

bench_snapshots() {
    echo "### Snapshots"
    echo
    .venv/bin/python scripts/benchmarks/snapshots.py "$binary" "$work/snapshots" "$((runs * 5))"
    echo
}
