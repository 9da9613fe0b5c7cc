# The servers that are measured: started on free ports, in one temporary folder, and ended by id when the bench ends.
# Sourced by scripts/bench. Each serve_* sets `url` and `process`.

work=$(mktemp -d)
chmod 755 "$work"
processes=()

end() {
    for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap end EXIT
trap 'exit 1' INT TERM

# serve_ours FOLDER [FLAG...]
serve_ours() {
    local folder=$1
    shift
    mkdir -p "$folder"
    : >"$folder/ready"
    "$binary" --listen 127.0.0.1:0 --data-dir "$folder/data" --trail-dir "$folder/trail" "$@" \
        >"$folder/ready" 2>"$folder/log" &
    started "$folder/ready" 's/^ready //p'
}

# serve_moto FOLDER
serve_moto() {
    mkdir -p "$1"
    : >"$1/log"
    .venv/bin/moto_server --host 127.0.0.1 --port 0 >"$1/log" 2>&1 &
    started "$1/log" 's/^.*Running on //p'
}

# started FILE SED: the last background process is ready when SED finds its address in FILE.
started() {
    process=$!
    processes+=("$process")
    for _ in {1..600}; do
        url=$(sed -n "$2" "$1")
        if [[ $url ]]; then return; fi
        kill -0 "$process" 2>/dev/null || break
        sleep 0.05
    done
    cat "$(dirname "$1")"/log >&2
    exit 1
}

# stop: ends the server that was started last and is still there, and waits for it.
stop() {
    kill "${processes[-1]}"
    wait "${processes[-1]}" || true
    unset 'processes[-1]'
}
