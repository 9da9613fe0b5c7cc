# Large objects through the S3 endpoint, beside a copy of the file. Sourced by scripts/bench; see s3.py.

bench_s3() {
    echo "### Large objects"
    echo
    .venv/bin/python scripts/benchmarks/s3.py "$(realpath "$binary")" "$work/s3" $((1 << 30)) "$runs"
    echo
}
