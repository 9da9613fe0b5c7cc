# Git over HTTP, ours beside Apache with `git http-backend`. Sourced by scripts/bench. Environment: BENCH_COMMITS, the
# sizes of the generated histories ("2000 20000 165000"; the last has a million objects); BENCH_PROJECTS, those of the
# generated histories that are shaped as real ones are ("20000"); BENCH_REPOSITORIES, paths of bare repositories to
# measure too; BENCH_CACHE, a folder in which the generated ones are kept; BENCH_FLAGS of our
# program; BENCH_ROWS, which rows (refs clone branch 3 100 depth 16 everything commit).

bench_git() {
    scripts/need time
    read -ra repositories <<<"${BENCH_REPOSITORIES:-}"
    .venv/bin/python scripts/benchmarks/git_bench.py "$(realpath "$binary")" "$work" "$runs" "$seconds" "${repositories[@]}"
}
