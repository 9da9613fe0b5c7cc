### all
given history
for version in 0 1 2; do git -c protocol.version=$version ls-remote $url/history.git; done

### heads, tags, symbolic references
given history
for version in 0 1 2; do
    git -c protocol.version=$version ls-remote --heads $url/history.git
    git -c protocol.version=$version ls-remote --tags --refs $url/history.git
    git -c protocol.version=$version ls-remote --symref $url/history.git HEAD
done

### patterns
given many
git ls-remote $url/many.git 'refs/heads/many/000*' side-5 'v*'
refused git ls-remote --exit-code $url/many.git nothing

### none
given empty
for version in 0 1 2; do git -c protocol.version=$version ls-remote --symref $url/empty.git; done

### a detached HEAD
given detached
git ls-remote --symref $url/detached.git
git -c protocol.version=0 ls-remote --symref $url/detached.git

### a HEAD that leads nowhere
given headless
git ls-remote --symref $url/headless.git
git -c protocol.version=0 ls-remote --symref $url/headless.git

### hidden references
given secret
git -C $root/secret.git config transfer.hideRefs refs/hidden
git -C $root/secret.git config --add transfer.hideRefs refs/heads/side
git -C $root/secret.git config --add transfer.hideRefs '!refs/heads/side-5'
git -C $root/secret.git config --add receive.hideRefs refs/pull
git ls-remote $url/secret.git
get 'secret.git/info/refs?service=git-receive-pack'

### a symbolic reference below heads
given history
on_server symbolic-ref refs/heads/alias refs/heads/side-5
git ls-remote --symref $url/history.git
git -c protocol.version=0 ls-remote --symref $url/history.git

### a reference that leads nowhere
given history
printf '%s\n' 2222222222222222222222222222222222222222 >$root/history.git/refs/heads/broken
git ls-remote $url/history.git
git -c protocol.version=0 ls-remote $url/history.git

### references that appear and vanish
given history
on_server update-ref refs/heads/new main~1
git ls-remote --heads $url/history.git
on_server update-ref -d refs/heads/new
on_server update-ref refs/heads/side-5 main
git ls-remote --heads $url/history.git
on_server pack-refs --all
git ls-remote --heads $url/history.git
