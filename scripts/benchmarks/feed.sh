# The feed of events: what readers that wait for events get and cost. Sourced by scripts/bench. There is no peer.

bench_feed() {
    echo "### Feed of events"
    echo
    echo "100 calls/s for $((seconds * 2)) s, and readers of server-sent events; the delay is that of the last reader."
    echo
    echo "| readers | delay, median, ms | p99, ms | server, % of a core | of that for the readers |"
    echo "| ---: | ---: | ---: | ---: | ---: |"
    serve_ours "$work/feed"
    .venv/bin/python scripts/benchmarks/feed.py "$url" "$process" "$((seconds * 2))"
    stop
    echo
}
