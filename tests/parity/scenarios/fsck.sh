### objects that are not sound are taken unless checked
given empty
git init --quiet w
blob=$(echo x | git -C w hash-object -w --stdin)
tree=$(printf '100644 blob %s\t.gitx\n' $blob | git -C w mktree)
commit=$(printf 'tree %s\nauthor A <a@example.com> 1700000000 +0000\ncommitter C <c@example.com> x +0000\n\nx\n' $tree |
    git -C w hash-object --literally -t commit -w --stdin)
git -C w push $url/empty.git $commit:refs/heads/bad

### a commit with a bad date, checked
given empty
git -C $root/empty.git config receive.fsckObjects true
git init --quiet w
tree=$(git -C w mktree </dev/null)
commit=$(printf 'tree %s\nauthor A <a@example.com> 1700000000 +0000\ncommitter C <c@example.com> x +0000\n\nx\n' $tree |
    git -C w hash-object --literally -t commit -w --stdin)
refused git -C w push $url/empty.git $commit:refs/heads/bad

### a tree that names .git, checked
given empty
git -C $root/empty.git config transfer.fsckObjects true
git init --quiet w
blob=$(echo x | git -C w hash-object -w --stdin)
for name in .git .GIT '..' 'git~1' '.git ' $'.g\xe2\x80\x8cit'; do
    tree=$(printf "100644 $name\\0$(printf $blob | sed 's/../\\x&/g')" | git -C w hash-object --literally -t tree -w --stdin)
    commit=$(git -C w commit-tree -m "$name" $tree)
    code=0
    git -C w push --quiet $url/empty.git $commit:refs/heads/bad || code=$?
    echo "$name: $code"
done

### a .gitmodules with a bad name, checked
given empty
git -C $root/empty.git config receive.fsckObjects true
git init --quiet w
commit w .gitmodules $'[submodule "../../evil"]\n\tpath = x\n\turl = y'
refused git -C w push --quiet $url/empty.git main

### checked, but some of it passed over
given empty
git -C $root/empty.git config receive.fsckObjects true
git -C $root/empty.git config receive.fsck.badDate ignore
git -C $root/empty.git config receive.fsck.missingEmail warn
git init --quiet w
tree=$(git -C w mktree </dev/null)
commit=$(printf 'tree %s\nauthor A 1700000000 +0000\ncommitter C <c@example.com> 1700000000 +0000\n\nx\n' $tree |
    git -C w hash-object --literally -t commit -w --stdin)
git -C w push $url/empty.git $commit:refs/heads/bad || echo "exit $?"

### sound objects, checked
given history empty
git -C $root/empty.git config receive.fsckObjects true
git clone --quiet --mirror $url/history.git w
git -C w push --quiet --mirror $url/empty.git

### objects that are missing
given empty
git init --quiet w
commit w file text
commit w file more
blob=$(git -C w rev-parse main~1:file)
rm -f w/.git/objects/${blob:0:2}/${blob:2}
pack=$(git -C w rev-list --objects main | cut -d' ' -f1 | grep --invert-match $blob | git -C w pack-objects --stdout -q | base64 --wrap 0)
(pkt "$(printf %040d 0) $(git -C w rev-parse main) refs/heads/main\\0report-status" 0000; echo $pack | base64 --decode) |
    repository=empty post receive-pack
