# What every scenario begins with. Variables: `root` is the folder that is served at `url`, `fixtures` has what can be
# served; the current folder is empty and the client's.
set -eu

# given NAME...: serves a fresh copy of fixtures.
given() {
    local name
    for name in "$@"; do cp -R "$fixtures/$name.git" "$root/"; done
}

# refused COMMAND...: which has to fail; tells how.
refused() {
    local code=0
    "$@" || code=$?
    if ((code == 0)); then
        echo "unexpected success: $*"
        exit 1
    fi
    echo "refused with $code"
}

# asks WORDS COMMAND...: runs a command whose client has to say each of the words to the server.
asks() {
    local words=$1 word
    shift
    GIT_TRACE_PACKET=$PWD/trace "$@"
    for word in $words; do
        if ! grep --quiet "> .*$word" trace; then
            echo "the client does not say $word: $*"
            exit 1
        fi
    done
    rm trace
}

# commit REPOSITORY FILE TEXT
commit() {
    mkdir -p "$(dirname "$1/$2")"
    printf '%s\n' "$3" >"$1/$2"
    git -C "$1" add --all
    git -C "$1" commit --quiet --message "Write $2"
}

# id NAME [REPOSITORY]: of an object of the server.
id() { git -C "$root/${2:-history}.git" rev-parse "$1"; }

# on_server ARGUMENT...: git in the served repository.
on_server() { git -C "$root/history.git" "$@"; }

# pkt LINE...: frames lines; `0000` and `0001` stand for themselves.
pkt() { python3 -SE "$pkt" frame "$@"; }

# post SERVICE [CURL OPTION...]: sends standard input to the repository, and shows the answer.
post() {
    local service=$1
    shift
    curl --silent --show-error --data-binary @- --header "Content-Type: application/x-git-$service-request" \
        --header Expect: "$@" "$url/${repository:-history}.git/git-$service" | python3 -SE "$pkt" show
}

# unsaid: leaves out in which words a request is refused. Git's own server says most of them to its log alone.
unsaid() { sed 's/^ERR .*//; /^unpack ok/!s/^unpack .*/unpack REASON/'; }

# get PATH [CURL OPTION...]: shows the answer with status and content type.
get() {
    local path=$1
    shift
    curl --silent --show-error --write-out '%{stderr}%{http_code} %{content_type}\n' "$@" "$url/$path" | python3 -SE "$pkt" show
}
