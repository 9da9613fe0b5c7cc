# The trail: what recording costs, and lookups, delivery and start-up with many events. Sourced by scripts/bench. There is no peer.
# Environment: BENCH_EVENTS (1000000), the most events of a history; 5000000 takes some 8 GB and a quarter of an hour.

bench_trail() {
    local most=${BENCH_EVENTS:-1000000} size
    echo "### Recording"
    echo
    echo "The server, 16 connections, GetRepository for $((seconds * 2)) s; every call is on the trail."
    echo
    echo "| log files | calls/s = records/s | p99, ms |"
    echo "| --- | ---: | ---: |"
    measure_recording "every 5 s, as usual"
    measure_recording "none while it runs" --log-interval 1h --log-size 100GB
    echo
    echo "The same operations in one process, through the trail and without it (\`crates/trail/examples/recording.rs\`):"
    echo
    if [[ ${BENCH_BINARY:-} == */debug/* ]]; then
        cargo run --quiet --package trail --example recording -- "$seconds"
    else
        cargo run --quiet --release --package trail --example recording -- "$seconds"
    fi
    echo

    echo "### LookupEvents, 99th percentile of 300 lookups, first and fiftieth page of 50 events"
    echo
    echo "| attribute | events | first page, ms | last page, ms | which is page |"
    echo "| --- | ---: | ---: | ---: | ---: |"
    for size in 10000 1000000 5000000; do
        if ((size > most)); then continue; fi
        make_history "$work/history-$size" "$size" delivered
        serve_ours "$work/history-$size"
        .venv/bin/python scripts/benchmarks/trail.py lookup "$url" "$size"
        stop
        if ((size == 5000000)); then rm -rf "$work/history-$size"; fi
    done
    echo

    size=$((most < 1000000 ? most : 1000000))
    bench_delivery "$size"
    bench_history_start "$size"
}

# measure_recording TITLE [FLAG...]
measure_recording() {
    local title=$1 folder calls rate p99 failed
    shift
    folder=$(mktemp -d "$work/recording.XXXX")
    serve_ours "$folder" "$@"
    call CreateRepository '{"repositoryName":"repository"}' >/dev/null
    read -r _ calls rate p99 failed < <(wrk --threads 1 --connections 16 --duration "$((seconds * 2))s" \
        --script scripts/benchmarks/api.lua "$url" -- GetRepository '{"repositoryName":"repository"}' 1 | grep ^RESULT)
    if ((failed > 0)); then fail "recording: $failed of $calls calls failed"; fi
    operation=recording
    check_trail "$folder/trail/events.ndjson" "$calls"
    echo "| $title | $rate | $p99 |"
    stop
    rm -rf "$folder"
}

# make_history FOLDER EVENTS delivered|waiting: the data folder of a server that has so many events.
make_history() {
    serve_ours "$1" --log-interval 1h
    call ListRepositories '{}' >/dev/null
    stop
    .venv/bin/python scripts/benchmarks/trail.py make "$1/data" "$1/trail" "$2" "$3"
}

bench_delivery() {
    local took files before peak
    make_history "$work/delivery" "$1" waiting
    serve_ours "$work/delivery" --log-interval 1h
    before=$(memory VmRSS)
    took=$(.venv/bin/python scripts/benchmarks/trail.py flush "$url")
    peak=$(memory VmHWM)
    files=$(find "$work/delivery/trail/AWSLogs" -name '*.json.gz' | wc --lines)
    stop
    rm -rf "$work/delivery"
    echo "### Delivery"
    echo
    echo "| events | time, s | files | resident before, MiB | peak, MiB |"
    echo "| ---: | ---: | ---: | ---: | ---: |"
    echo "| $1 | $took | $files | $before | $peak |"
    echo
}

# bench_history_start EVENTS: the history of the lookups is there, and indexed.
bench_history_start() {
    local folder=$work/history-$1 empty=$work/history-empty new old many
    if [[ ! -d $folder ]]; then make_history "$folder" "$1" delivered; fi
    make_history "$empty" 0 delivered
    new=$(start_ms "{}")
    old=$(start_ms "$empty")
    many=$(start_ms "$folder")
    echo "### Start-up, exec to ready, median of 10"
    echo
    echo "| new data folder, ms | one without events, ms | one with $1 events, ms |"
    echo "| ---: | ---: | ---: |"
    echo "| $new | $old | $many |"
    echo
}

start_ms() {
    .venv/bin/python scripts/benchmarks/ready.py 10 ready \
        "$binary" --listen 127.0.0.1:0 --data-dir "$1/data" --trail-dir "$1/trail"
}
