### a few commits
given history
git clone --quiet $url/history.git c
git clone --quiet $url/history.git w
for number in 1 2 3; do commit w file-$number text; done
git -C w tag -m new new
git -C w push --quiet origin main new
git -C c fetch
git -C c log --oneline origin/main -3

### a few commits, each version and each way of negotiating
given history
for version in 0 1 2; do
    for algorithm in consecutive skipping noop; do
        git clone --quiet --bare $url/history.git c
        git -C c update-ref refs/heads/main main~9
        git -C c for-each-ref --format='delete %(refname)' | grep --invert-match heads/main | git -C c update-ref --stdin
        git -C c -c gc.pruneExpire=now gc --quiet --prune=now
        git -C c -c protocol.version=$version -c fetch.negotiationAlgorithm=$algorithm fetch --quiet origin main
        git -C c rev-list --count FETCH_HEAD
        mv c c-$version-$algorithm
    done
done

### what the client has diverged from
given history
git clone --quiet $url/history.git c
git -C c reset --quiet --hard HEAD~10
commit c mine mine
git clone --quiet $url/history.git w
commit w theirs theirs
git -C w push --quiet
git -C c fetch
git -C c rev-list --count --left-right main...origin/main

### a long negotiation
given history
git clone --quiet $url/history.git c
git -C c checkout --quiet --orphan other
for number in $(seq 1 80); do git -C c commit --quiet --allow-empty --message "mine $number"; done
git clone --quiet $url/history.git w
commit w theirs theirs
git -C w push --quiet
git -C c update-ref -d refs/remotes/origin/main
git -C c fetch --quiet origin main
git -C c -c protocol.version=0 fetch --quiet origin main

### a negotiation so large that it is compressed
given history islands
git clone --quiet $url/history.git c
git -C c for-each-ref --format='delete %(refname)' refs/remotes refs/tags | git -C c update-ref --stdin --no-deref
git -C c checkout --quiet --detach main~30
git -C c branch --quiet -D main
(
    mark=0
    for branch in $(seq 1 300); do
        echo "commit refs/heads/mine-$branch"
        echo "committer C <c@example.com> $((1700050000 + branch)) +0000"
        printf 'data 1\nx\n'
        if ((branch % 7 == 0)); then echo "from $(git -C c rev-parse HEAD)"; fi
        echo
    done
) | git -C c fast-import --quiet
for version in 0 2; do
    git -C c -c protocol.version=$version fetch --quiet $url/islands.git main
    git -C c rev-list --count FETCH_HEAD
    rm c/.git/FETCH_HEAD
done

### an object by its id
given history
on_server config uploadpack.allowAnySHA1InWant true
git init --quiet c
git -C c fetch $url/history.git $(id side-10~2)
git -C c fetch --quiet $url/history.git $(id main:top)
git -C c fetch --quiet $url/history.git $(id main~1^{tree})

### an object by its id, if references lead to it
given secret
git -C $root/secret.git config uploadpack.allowReachableSHA1InWant true
for version in 0 2; do
    git init --quiet c$version
    git -C c$version -c protocol.version=$version fetch --quiet $url/secret.git $(id side-10~2 secret)
done
refused git -C c0 -c protocol.version=0 fetch --quiet $url/secret.git $(cat $root/secret.git/lost)

### an object by its id, not allowed
given secret
git init --quiet c
refused git -C c -c protocol.version=0 fetch $url/secret.git $(id side-10~2 secret)
git -C c -c protocol.version=2 fetch --quiet $url/secret.git $(id side-10~2 secret)

### the tip of a hidden reference
given secret
git -C $root/secret.git config transfer.hideRefs refs/hidden
git init --quiet c
refused git -C c -c protocol.version=0 fetch --quiet $url/secret.git $(id refs/hidden/secret secret)
git -C $root/secret.git config uploadpack.allowTipSHA1InWant true
git -C c -c protocol.version=0 fetch --quiet $url/secret.git $(id refs/hidden/secret secret)
# Between requests references may move, so git's server does not insist on tips over HTTP.
git -C c -c protocol.version=0 fetch --quiet $url/secret.git $(id side-10~2 secret)

### an id that is not there
given history
on_server config uploadpack.allowAnySHA1InWant true
git init --quiet c
for version in 0 2; do
    refused git -C c -c protocol.version=$version fetch $url/history.git 3333333333333333333333333333333333333333
done

### a reference that is not there
given history
git init --quiet c
refused git -C c fetch $url/history.git nowhere

### pruned
given history
git clone --quiet --mirror $url/history.git c
on_server update-ref -d refs/heads/side-5
on_server update-ref -d refs/tags/light
git -C c fetch --prune

### everything again
given history
git clone --quiet --bare $url/history.git c
git -C c fetch --quiet --refetch

### tags that point at what is fetched
given history
git init --quiet c
git -C c fetch $url/history.git 'main~0:refs/heads/none' || true
git -C c fetch --quiet $url/history.git refs/heads/side-5:refs/remotes/o/side-5
git -C c tag
git -C c remote add o $url/history.git
git -C c fetch o main
git -C c fetch --tags o

### no tags
given history
git init --quiet c
git -C c remote add o $url/history.git
git -C c fetch --no-tags o
git -C c fetch o

### after a forced push
given history
git clone --quiet $url/history.git c
on_server update-ref refs/heads/main main~4
on_server update-ref refs/heads/side-5 main
git -C c fetch

### several remotes
given history islands
git init --quiet c
git -C c remote add one $url/history.git
git -C c remote add two $url/islands.git
git -C c fetch --quiet --all --jobs 1

### nothing new
given history
git clone --quiet $url/history.git c
git -C c fetch --verbose

### by many references
given many
git init --quiet c
git -C c fetch --quiet $url/many.git 'refs/heads/many/*:refs/heads/*'

### while the server is repacked
given mixed
git clone --quiet --bare $url/mixed.git c
git -C $root/mixed.git repack -adq
git -C $root/mixed.git prune-packed
git clone --quiet --bare $url/mixed.git d
git -C $root/mixed.git commit-graph write --reachable
git -C $root/mixed.git repack -adbq
git -C $root/mixed.git multi-pack-index write
git clone --quiet --bare $url/mixed.git e

### only what is common
given history
git clone --quiet $url/history.git c
commit c mine mine
git -C c fetch --negotiate-only --negotiation-tip=main origin
git -C c -c fetch.negotiationAlgorithm=skipping fetch --negotiate-only --negotiation-tip=main origin

### wanted references
given history
on_server config uploadpack.allowRefInWant true
git init --quiet c
git -C c fetch --quiet $url/history.git refs/heads/side-5:refs/heads/x refs/tags/v1
git -C c for-each-ref

### everything in a side band
given history
on_server config uploadpack.allowSidebandAll true
git clone --quiet --bare $url/history.git c

### through a bundle and then the rest
given history
on_server bundle create --quiet - side-5 >bundle
git init --quiet --bare c
git -C c fetch --quiet ../bundle side-5:side-5
git -C c fetch --quiet $url/history.git main
