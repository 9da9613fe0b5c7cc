# What a test suite pays: the packages beside moto_server and a plain bare repository, all in one run. Sourced by scripts/bench.

bench_packages() {
    scripts/clients
    echo "### In a test suite"
    echo
    .venv/bin/python scripts/benchmarks/suites.py "$binary" "$work/suites" "$runs"
    echo
}
