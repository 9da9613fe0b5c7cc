# Calls of the AWS JSON API, ours beside moto_server: calls a second and the 99th percentile of their time.
# Sourced by scripts/bench. Every server is new and holds 100 repositories when a call is measured.

bench_api() {
    local operation body connections ours_rate ours_p99
    echo "### API: the median of $runs runs of $seconds s"
    echo
    echo "| call | connections | codecommit-local, calls/s | p99, ms | moto, calls/s | p99, ms | times faster |"
    echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for operation in CreateRepository GetRepository ListRepositories; do
        case $operation in
            CreateRepository) body='{"repositoryName":"created-{n}"}' ;;
            GetRepository) body='{"repositoryName":"repository-50"}' ;;
            ListRepositories) body='{}' ;;
        esac
        for connections in 1 16; do
            measure_calls ours
            ours_rate=$rate ours_p99=$p99
            if [[ $operation == ListRepositories ]]; then rate=- p99=-; else measure_calls moto; fi
            echo "| $operation | $connections | $ours_rate | $ours_p99 | $rate | $p99 | $(times "$ours_rate" "$rate") |"
        done
    done
    echo
    echo "moto does not have ListRepositories."
    echo
}

# measure_calls ours|moto: calls $operation with $body over $connections; sets `rate` and `p99`.
measure_calls() {
    local folder number run calls failed answered=101 results=()
    folder=$(mktemp -d "$work/api.XXXX")
    if [[ $1 == ours ]]; then serve_ours "$folder" --repository-limit 100000000; else serve_moto "$folder"; fi

    for number in {1..100}; do call CreateRepository "{\"repositoryName\":\"repository-$number\"}" >/dev/null; done
    call "$operation" "${body/"{n}"/0}" | grep --quiet repositor
    for ((run = 1; run <= runs; run++)); do
        read -r _ calls rate p99 failed < <(wrk --threads 1 --connections "$connections" --duration "${seconds}s" \
            --script scripts/benchmarks/api.lua "$url" -- "$operation" "$body" "$run" | grep ^RESULT)
        if ((failed > 0)); then fail "$1, $operation: $failed of $calls calls failed"; fi
        ((answered += calls))
        results+=("$rate $p99")
    done
    read -r rate p99 < <(printf '%s\n' "${results[@]}" | sort --numeric-sort | sed -n "$(((runs + 1) / 2))p")
    if [[ $1 == ours ]]; then check_trail "$folder/trail/events.ndjson" "$answered"; fi
    stop
    rm -rf "$folder"
}

# check_trail FILE COUNT: every answered call has its line; those under way at the end of a run may have one too.
check_trail() {
    local lines
    lines=$(wc --lines <"$1")
    echo "$operation: $2 calls answered, $lines records on the trail" >&2
    if ((lines < $2)); then fail "$operation: the trail lacks $(($2 - lines)) records"; fi
}
