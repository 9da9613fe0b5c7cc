# How fast it starts and how much memory it takes, ours beside moto_server. Sourced by scripts/bench.

bench_start() {
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
    local ours_ms moto_ms ours_idle remote pushed seeded_ms
    ours_ms=$(.venv/bin/python scripts/benchmarks/ready.py 30 ready \
        "$binary" --listen 127.0.0.1:0 --data-dir {}/data --trail-dir {}/trail)
    moto_ms=$(.venv/bin/python scripts/benchmarks/ready.py 5 Running .venv/bin/moto_server --host 127.0.0.1 --port 0)

    make_seed "$work/seed"
    seeded_ms=$(.venv/bin/python scripts/benchmarks/ready.py 5 ready "$binary" --listen 127.0.0.1:0 --data-dir {}/data --seed "$work/seed")

    echo "### Start and memory"
    echo
    echo "| what | codecommit-local | moto | times less |"
    echo "| --- | ---: | ---: | ---: |"
    echo "| exec to ready, empty data folder, ms | $ours_ms | $moto_ms | $(times "$moto_ms" "$ours_ms") |"
    echo "| exec to ready, seed of 20 repositories of 1,000 commits, ms | $seeded_ms | - | - |"
    serve_ours "$work/start"
    call CreateRepository '{"repositoryName":"large"}' >/dev/null
    sleep 1
    ours_idle=$(memory VmRSS)
    serve_moto "$work/start-moto"
    call CreateRepository '{"repositoryName":"large"}' >/dev/null
    sleep 1
    echo "| resident after a call, MiB | $ours_idle | $(memory VmRSS) | $(times "$(memory VmRSS)" "$ours_idle") |"
    stop
    stop

    make_large "$work/large.git"
    serve_ours "$work/start"
    remote=${url/:\/\//:\/\/bench:bench@}/v1/repos/large
    quietly git -C "$work/large.git" push --quiet "$remote" main
    pushed=$(memory VmHWM)
    stop
    serve_ours "$work/start"
    remote=${url/:\/\//:\/\/bench:bench@}/v1/repos/large
    quietly git clone --quiet --bare "$remote" "$work/clone.git"
    echo "| peak resident, push of $(du --summarize --block-size 1M "$work/large.git" | cut -f1) MiB, MiB | $pushed | - | - |"
    echo "| peak resident, clone of it, MiB | $(memory VmHWM) | - | - |"
    stop
    echo "| size of the binary, MiB | $(stat --format %s "$binary" | awk '{ printf "%.1f", $1 / 1048576 }') | - | - |"
    echo
}

# memory FIELD: of the process that was started last, in MiB.
memory() {
    awk -v field="$1:" '$1 == field { printf "%.1f", $2 / 1024 }' "/proc/$process/status"
}

# make_seed FOLDER: 20 packed repositories of 1,000 commits on 100 files, each with 20 branches and 30 tags.
make_seed() {
    local first=$1/repositories/repository-01.git number
    mkdir --parents "$1/repositories"
    git init --quiet --bare --initial-branch main "$first"
    .venv/bin/python scripts/benchmarks/history.py 1000 100 | git -C "$first" fast-import --quiet
    quietly git -C "$first" gc --quiet
    for number in $(seq --format %02.0f 2 20); do cp --recursive "$first" "$1/repositories/repository-$number.git"; done
}

# make_large FOLDER: a repository with 300 blobs of 1 MiB that do not compress.
make_large() {
    git init --quiet --bare --initial-branch main "$1"
    .venv/bin/python - <<'PYTHON' | git -C "$1" -c core.compression=0 fast-import --quiet
import random, sys
chance, out = random.Random(1), sys.stdout.buffer
out.write(b"commit refs/heads/main\ncommitter Bench <bench@example.com> 1500000000 +0000\ndata 5\nlarge\n")
for number in range(300):
    out.write(b"M 100644 inline blob-%d\ndata %d\n" % (number, 1 << 20) + chance.randbytes(1 << 20) + b"\n")
PYTHON
}
