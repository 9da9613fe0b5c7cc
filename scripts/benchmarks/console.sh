# The pages of the console with much data: time on the server and bytes. Sourced by scripts/bench. There is no peer.
# Environment: BENCH_EVENTS (1000000), the events of the history.

bench_console() {
    local events=${BENCH_EVENTS:-1000000} folder=$work/console
    make_history "$folder" "$events" delivered
    serve_ours "$folder" --log-interval 1h --repository-limit 2000
    git init --quiet --bare "$work/large.git"
    .venv/bin/python scripts/benchmarks/large.py | git -C "$work/large.git" fast-import --quiet
    .venv/bin/python scripts/benchmarks/console.py fill "$url"
    quietly git -C "$work/large.git" push --quiet "$url/v1/repos/large" main topic
    echo "### Console"
    echo
    echo "1,000 repositories, a folder of 10,000 files, a commit of 5,000 files, $events events; medians and maxima of $((runs * 10)) requests"
    echo
    echo "| page | median, ms | maximum, ms | bytes | compressed |"
    echo "| --- | ---: | ---: | ---: | ---: |"
    .venv/bin/python scripts/benchmarks/console.py measure "$url" "$((runs * 10))"
    stop
    echo
}
