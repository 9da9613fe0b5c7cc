# What a server keeps in memory after work on several large repositories. Sourced by scripts/bench; see memory.py.

bench_memory() {
    echo "### Memory after work on large repositories"
    echo
    mkdir -p "$work/memory"
    .venv/bin/python scripts/benchmarks/memory.py "$(realpath "$binary")" "$work/memory" || echo "more than 160 MiB"
    echo
}
