# Git over HTTP, ours beside Apache with `git http-backend`: one generated history, one client, the same settings.
# Sourced by scripts/bench. Both hold it as it was pushed; then Apache's copy is repacked, as its owner may do.

bench_git() {
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
    export HOME=$work history=$work/history.git tree=$work/tree as_peer work url side remote
    export -f call new_repository fetch_pack
    local peer ours
    git init --quiet --bare --initial-branch main "$history"
    .venv/bin/python scripts/benchmarks/history.py | git -C "$history" fast-import --quiet
    git -C "$history" repack -adfq
    git clone --quiet --no-checkout "$history" "$tree"
    git -C "$tree" config user.name Bench
    git -C "$tree" config user.email bench@example.com

    serve_apache "$work/apache"
    peer=${url/:\/\//:\/\/bench:bench@}/v1/repos
    side=peer new_repository history
    quietly git -C "$history" push --quiet --mirror "$peer/history"
    serve_ours "$work/git"
    ours=${url/:\/\//:\/\/bench:bench@}/v1/repos
    side=ours new_repository history
    quietly git -C "$history" push --quiet --mirror "$ours/history"

    echo "### Git: $(git -C "$history" rev-list --count --all) commits," \
        "$(git -C "$history" ls-tree -r main | wc --lines) files, $(git -C "$history" for-each-ref | wc --lines) refs," \
        "$(git -C "$history" count-objects -vH | sed -n 's/^size-pack: //p'); medians"
    echo
    echo "| what | codecommit-local | Apache | times faster |"
    echo "| --- | ---: | ---: | ---: |"
    compare_rates 1
    compare_rates 16
    compare_times 'git ls-remote' 50 : "git ls-remote --quiet \$remote/history"
    compare_clones ''
    compare_times 'git push of the whole history' "$((runs * 2))" 'new_repository fresh' \
        "git -C \$history push --quiet --mirror \$remote/fresh"
    compare_times 'git push of a commit' 20 "git -C \$tree commit --quiet --allow-empty --message next" \
        "git -C \$tree push --quiet \$remote/history HEAD:main"
    $as_peer git -C "$work/apache/repositories/history" repack -adbq
    compare_clones ' (Apache: repacked, with a bitmap)'
    echo
}

# compare_clones NOTE
compare_clones() {
    compare_times "the whole pack, to curl$1" "$((runs * 3))" : fetch_pack
    compare_times "git clone --no-checkout$1" "$((runs * 2))" "rm -rf \$work/clone" \
        "git clone --quiet --no-checkout \$remote/history \$work/clone"
}

# new_repository NAME: an empty one on $side, in place of the one there was.
new_repository() {
    if [[ $side == ours ]]; then
        call DeleteRepository "{\"repositoryName\":\"$1\"}" >/dev/null
        call CreateRepository "{\"repositoryName\":\"$1\"}" >/dev/null
    else
        $as_peer rm -rf "$work/apache/repositories/$1"
        $as_peer git init --quiet --bare --initial-branch main "$work/apache/repositories/$1"
    fi
}

# fetch_pack: what a clone asks for, without the client's work on the answer.
fetch_pack() {
    local id length
    id=$(git -C "$history" rev-parse main)
    length=$(printf '0032want %s\n00000009done\n' "$id" | curl --silent --show-error --fail --data-binary @- \
        --header 'Content-Type: application/x-git-upload-pack-request' \
        --output /dev/null --write-out '%{size_download}' "$remote/history/git-upload-pack")
    ((length > 1000000))
}

# compare_times WHAT RUNS PREPARE COMMAND: a row of medians, in milliseconds.
compare_times() {
    local times=() address
    for side in ours peer; do
        remote=${!side}
        quietly hyperfine --shell bash --style none --warmup 1 --runs "$2" --prepare "$3" --export-json "$work/times" "$4"
        times+=("$(jq '.results[0].median * 10000 | round / 10' "$work/times")")
    done
    echo "| $1, ms | ${times[0]} | ${times[1]} | $(times "${times[1]}" "${times[0]}") |"
}

# compare_rates CONNECTIONS: a row of advertisements a second, over so many connections.
compare_rates() {
    local rates=() run
    for side in ours peer; do
        remote=${!side/bench:bench@/}
        for ((run = 1; run <= runs; run++)); do
            wrk --threads 1 --connections "$1" --duration "${seconds}s" --header "Authorization: Basic YmVuY2g6YmVuY2g=" \
                "$remote/history/info/refs?service=git-upload-pack" >"$work/wrk"
            if grep --extended-regexp 'Non-2xx|Socket errors' "$work/wrk" >&2; then fail "$side, info/refs: calls failed"; fi
            sed -n 's/^Requests\/sec: *//p' "$work/wrk"
        done | sort --numeric-sort | sed -n "$(((runs + 1) / 2))p" >"$work/rate"
        rates+=("$(cat "$work/rate")")
    done
    echo "| GET info/refs, $1 connections, calls/s | ${rates[0]} | ${rates[1]} | $(times "${rates[0]}" "${rates[1]}") |"
}
