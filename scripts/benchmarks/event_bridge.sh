# Events for EventBridge: what they cost calls and pushes, and how fast they are delivered. Sourced by scripts/bench. There is no peer.
# Environment: BENCH_BUS_EVENTS (100000) that are delivered.

bench_events() {
    echo "### Events for EventBridge"
    echo
    .venv/bin/python scripts/benchmarks/event_bridge.py "$binary" "$work/events" "$seconds" "${BENCH_BUS_EVENTS:-100000}"
    echo
}
