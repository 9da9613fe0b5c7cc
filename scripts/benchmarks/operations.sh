# Operations over real history, each with three sizes of what it works on. Sourced by scripts/bench. There is no peer: the
# others have no such history. Environment: OPERATIONS_ROWS, which rows, by words of their titles.

bench_operations() {
    serve_ours "$work/operations" --repository-limit 100000000
    .venv/bin/python scripts/benchmarks/operations.py "$url" "$work" "$seconds"
    stop
}
