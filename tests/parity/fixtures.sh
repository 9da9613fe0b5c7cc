# Makes the bare repositories that the scenarios begin with, in the current folder. Ids and times are the same every time.
set -eu

# at SECONDS COMMAND...: runs git at a time of the past.
at() {
    export GIT_AUTHOR_DATE="$((1700000000 + $1)) +0100" GIT_COMMITTER_DATE="$((1700000000 + $1)) +0100"
    git -C work "${@:2}"
}

# commit SECONDS FILE TEXT
commit() {
    mkdir -p "$(dirname "work/$2")"
    printf '%s\n' "$3" >"work/$2"
    at 0 add --all
    at "$1" commit --quiet --message "Change $2 at $1"
}

# bare NAME: makes NAME.git of the work tree.
bare() {
    git init --quiet --bare "$1.git"
    git -C work push --quiet "../$1.git" '+refs/*:refs/*'
    git -C "$1.git" symbolic-ref HEAD refs/heads/main
    settle "$1"
}

# settle NAME: packs what is there, and lets everyone push.
settle() {
    git -C "$1.git" config http.receivepack true
    git -C "$1.git" config gc.auto 0
    git -C "$1.git" repack -adq
    git -C "$1.git" pack-refs --all
}

git init --quiet work
text=$(seq 1 300)
for round in $(seq 1 20); do
    commit $((round * 1000)) "folder/deep/file-$((round % 3))" "round $round
$text"
    commit $((round * 1000 + 100)) top "top $round"
    if ((round % 5 == 0)); then
        at 0 checkout --quiet -b "side-$round" HEAD~3
        commit $((round * 1000 + 200)) "side/$round" "side $round
$text"
        at 0 checkout --quiet main
        at $((round * 1000 + 300)) merge --quiet --no-edit "side-$round"
    fi
done
commit 30000 'odd/with space' space
commit 30010 'odd/"quoted" \back' quotes
commit 30020 $'odd/\xc3\xbcml\xc3\xa4ut' utf-8
commit 30030 $'odd/not \xff utf-8' bytes
commit 30040 large "$(seq 1 20000)"
ln -s top work/link
printf '#!/bin/sh\n' >work/program
chmod +x work/program
printf '/top\n/folder/deep/\n' >work/sparse
at 30050 add link program sparse
at 30050 update-index --add --cacheinfo 160000,1111111111111111111111111111111111111111,module
at 30050 commit --quiet --message 'A link, a program and a submodule'
at 30060 tag light HEAD~5
at 30060 tag --annotate --message v1 v1 HEAD~20
at 30060 tag --annotate --message v2 v2 HEAD~2
at 30060 tag --annotate --message 'tag of a tag' of-tag v1
at 30060 tag --annotate --message 'tag of a tree' of-tree HEAD~1^{tree}
at 30060 tag --annotate --message 'tag of a blob' of-blob HEAD:top
at 30060 tag to-blob HEAD:odd/"with space"
at 30060 tag to-tree HEAD~3:folder
at 0 update-ref refs/pull/1/head side-5
at 0 update-ref refs/notes/commits side-10
bare history

# A branch without a common commit, and one that only an old client would have.
at 0 checkout --quiet --orphan island
at 0 rm -rq --cached .
commit 40000 island alone
at 0 checkout --quiet --force main
cp -R history.git islands.git
git -C work push --quiet ../islands.git island

git init --quiet --bare empty.git
settle empty

cp -R history.git headless.git
git -C headless.git symbolic-ref HEAD refs/heads/none
cp -R history.git detached.git
git -C detached.git update-ref --no-deref HEAD side-15

# The same objects: all loose, partly loose, in many packs, and elsewhere.
git init --quiet --bare loose.git
git -C history.git pack-objects --all --stdout -q </dev/null | git -C loose.git unpack-objects -q
git -C history.git for-each-ref --format='create %(refname) %(objectname)' | git -C loose.git update-ref --stdin
git -C loose.git config http.receivepack true
git -C loose.git config gc.auto 0

git init --quiet --bare mixed.git
git -C mixed.git config receive.unpackLimit 1
git -C work push --quiet ../mixed.git main~12:refs/heads/main side-5 side-10
git -C work push --quiet ../mixed.git main~6:refs/heads/main
git -C mixed.git config receive.unpackLimit 1000
git -C work push --quiet ../mixed.git main
git -C mixed.git config http.receivepack true
git -C mixed.git config gc.auto 0

git init --quiet --bare borrowing.git
echo ../../history.git/objects >borrowing.git/objects/info/alternates
git -C history.git for-each-ref --format='create %(refname) %(objectname)' refs/heads | git -C borrowing.git update-ref --stdin
git -C borrowing.git config http.receivepack true
git -C borrowing.git config gc.auto 0

cp -R history.git many.git
tip=$(git -C work rev-parse main)
seq --format "create refs/heads/many/%04g $tip" 1 1500 | git -C many.git update-ref --stdin
git -C many.git pack-refs --all
git -C many.git update-ref refs/heads/many/0007 side-5
git -C many.git update-ref -d refs/heads/many/0008

# Has what no reference leads to.
cp -R history.git secret.git
blob=$(echo secret | git -C secret.git hash-object -w --stdin)
tree=$(printf '100644 blob %s\tsecret\n' "$blob" | git -C secret.git mktree)
git -C secret.git update-ref refs/hidden/secret "$(git -C secret.git commit-tree -m secret "$tree")"
git -C secret.git commit-tree -m lost "$tree" -p main >secret.git/lost

rm -rf work
