# Large files: git-lfs against this server, and against nginx with WebDAV. Sourced by scripts/bench.

bench_lfs() {
    echo "### Git LFS"
    echo
    scripts/need git-lfs nginx=nginx-light
    .venv/bin/python scripts/benchmarks/lfs.py "$binary" "$work/lfs" "$runs"
    echo
}
