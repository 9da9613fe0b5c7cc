### into an empty repository
given empty
git init --quiet w
commit w file text
git -C w push $url/empty.git main
git -C w push $url/empty.git main

### a history into an empty repository
given history empty
git clone --quiet --mirror $url/history.git w
git -C w push --quiet --mirror $url/empty.git

### a few commits
given history
git clone --quiet $url/history.git w
for number in 1 2 3; do commit w folder/deep/file-0 "text $number"; done
git -C w push

### each version
given history
git clone --quiet $url/history.git w
for version in 0 1 2; do
    commit w file "text $version"
    git -C w -c protocol.version=$version push origin main
done

### refused: not a descendant
given history
git clone --quiet $url/history.git w
git -C w reset --quiet --hard HEAD~3
commit w file text
refused git -C w push origin main

### refused: not a descendant, and the client does not know
given history
git clone --quiet $url/history.git one
git clone --quiet $url/history.git two
commit one file one
commit two file two
git -C one push --quiet
refused git -C two push

### refused by the server: not a descendant
given history
on_server config receive.denyNonFastForwards true
git clone --quiet $url/history.git w
git -C w reset --quiet --hard HEAD~3
commit w file text
refused git -C w push --force origin main main:new

### refused by the server: deletions
given history
on_server config receive.denyDeletes true
git clone --quiet $url/history.git w
refused git -C w push origin :side-5 main:new

### refused by the server: the branch it is on
given history
git clone --quiet $url/history.git w
refused git -C w push origin :main
on_server config receive.denyDeleteCurrent ignore
git -C w push origin :main

### refused by the server: the branch it is on, with a work tree
given history
on_server config core.bare false
git clone --quiet $url/history.git w
commit w file text
refused git -C w push origin main main:other

### forced
given history
git clone --quiet $url/history.git w
git -C w reset --quiet --hard HEAD~3
commit w file text
git -C w push --force origin main
git -C w push origin +main~1:main

### forced with a lease
given history
git clone --quiet $url/history.git w
git clone --quiet $url/history.git other
commit other file other
git -C other push --quiet
git -C w reset --quiet --hard HEAD~1
refused git -C w push --force-with-lease origin main
git -C w push --force-with-lease=main:$(id main) origin main

### deletions
given history
git clone --quiet $url/history.git w
git -C w push origin :side-5 :refs/tags/v1
refused git -C w push origin :nowhere
git -C w push origin --delete side-10 light

### everything deleted
given history
on_server config receive.denyDeleteCurrent ignore
git clone --quiet $url/history.git w
git -C w push --quiet origin $(on_server for-each-ref --format=:%\(refname\))
git -C w push origin main

### tags
given history
git clone --quiet $url/history.git w
git -C w tag lightweight
git -C w tag -m annotated annotated HEAD~1
git -C w tag -m again again annotated
git -C w tag -m blob blob HEAD:top
git -C w tag tree HEAD^{tree}
git -C w push --tags
refused git -C w push origin HEAD~2:refs/tags/light
git -C w push --force origin HEAD~2:refs/tags/light

### with the tags that belong to it
given history
git clone --quiet $url/history.git w
commit w file text
git -C w tag -m mine mine
git -C w push --follow-tags

### new branches, odd names
given history
git clone --quiet $url/history.git w
git -C w push origin main:refs/heads/a/b/c 'main:refs/heads/um-ü' "main:refs/heads/it's" 'main:refs/heads/"q"' main:refs/other/x \
    main:refs/heads/HEAD

### names in each other's way
given history
git clone --quiet $url/history.git w
refused git -C w push origin main:side-5/below
git -C w push origin :side-5
git -C w push origin main:side-5/below
refused git -C w push origin main:side-5 main:fine

### names in each other's way, in one push
given history
git clone --quiet $url/history.git w
refused git -C w push origin main:refs/heads/a main:refs/heads/a/b

### a folder of references becomes a reference
given history
git clone --quiet $url/history.git w
git -C w push --quiet origin main:refs/heads/x/y
git -C w push origin :refs/heads/x/y main:refs/heads/x

### atomic
given history
git clone --quiet $url/history.git w
commit w file text
git -C w push --atomic origin main main:new :side-5

### atomic, one refused by the client
given history
git clone --quiet $url/history.git w
git -C w branch --no-track side-5 origin/side-5~2
commit w file text
refused git -C w push --atomic origin main side-5

### atomic, one refused by the server
given history
on_server config receive.denyDeletes true
git clone --quiet $url/history.git w
commit w file text
refused git -C w push --atomic origin main main:new :side-5

### atomic, not offered
given history
on_server config receive.advertiseAtomic false
git clone --quiet $url/history.git w
refused git -C w push --atomic origin main main:new

### words for the server
given history
git clone --quiet $url/history.git w
refused git -C w push --push-option one origin main:new
on_server config receive.advertisePushOptions true
git -C w push --push-option one --push-option 'two words' origin main:new

### a mirror
given history
git clone --quiet --mirror $url/history.git w
git -C w update-ref -d refs/heads/side-5
git -C w update-ref refs/heads/new main~3
git -C w push --mirror

### pruned
given history
git clone --quiet $url/history.git w
git -C w branch side-10 origin/side-10
git -C w push --prune origin 'refs/heads/*'

### thin and not thin
given history
git clone --quiet $url/history.git w
commit w large "$(seq 1 20001)"
git -C w push --quiet --thin
commit w large "$(seq 1 20002)"
git -C w push --quiet --no-thin

### kept as a pack, or unpacked
given history
git clone --quiet $url/history.git w
on_server config receive.unpackLimit 1
commit w large "$(seq 1 20001)"
git -C w push --quiet
on_server config transfer.unpackLimit 1000
on_server config --unset receive.unpackLimit
commit w large "$(seq 1 20002)"
git -C w push --quiet

### without offset deltas
given history
on_server config repack.usedeltabaseoffset false
git clone --quiet $url/history.git w
commit w large "$(seq 1 20001)"
git -C w push --quiet

### from a shallow clone
given history
git clone --quiet --depth 2 $url/history.git w
commit w file text
git -C w push

### from a shallow clone, into an empty repository
given history empty
git clone --quiet --depth 2 $url/history.git w
refused git -C w push $url/empty.git main
git -C $root/empty.git config receive.shallowUpdate true
git -C w push $url/empty.git main
cat $root/empty.git/shallow

### a thousand references
given history
git clone --quiet $url/history.git w
seq --format 'create refs/heads/many/%04g refs/heads/main' 1 1000 | git -C w update-ref --stdin
git -C w push --quiet origin 'refs/heads/many/*'
git -C w push --quiet --prune origin 'refs/heads/many/1*'

### a large blob, in chunks
given history
git clone --quiet $url/history.git w
seq 1 600000 >w/huge
openssl enc -aes-128-ctr -K 00 -iv 00 -in w/huge -out w/random 2>/dev/null
git -C w add huge random
git -C w commit --quiet --message huge
git -C w push --quiet
git -C w reset --quiet --hard HEAD~1
commit w small "$(seq 1 3000)"
git -C w -c http.postBuffer=100 push --quiet --force

### a large blob, at once
given history
git clone --quiet $url/history.git w
seq 1 600000 >w/huge
openssl enc -aes-128-ctr -K 00 -iv 00 -in w/huge -out w/random 2>/dev/null
git -C w add huge random
git -C w commit --quiet --message huge
git -C w -c http.postBuffer=100000000 push --quiet

### larger than allowed
given history
on_server config receive.maxInputSize 100000
git clone --quiet $url/history.git w
seq 1 600000 >w/huge
git -C w add huge
git -C w commit --quiet --message huge
refused git -C w push

### hidden references
given secret
git -C $root/secret.git config transfer.hideRefs refs/hidden
git clone --quiet $url/secret.git w
refused git -C w push origin main:refs/hidden/mine main:new
refused git -C w push origin :refs/hidden/secret

### nobody may push
given history
on_server config --unset http.receivepack
git clone --quiet $url/history.git w
refused git -C w push origin main:new

### pushes switched off
given history
on_server config http.receivepack false
git clone --quiet $url/history.git w
refused git -C w push origin main:new

### a dry run and up to date
given history
git clone --quiet $url/history.git w
commit w file text
git -C w push --dry-run
git -C w push --porcelain
git -C w push --porcelain

### into a repository with an alternate
given history borrowing
git clone --quiet $url/borrowing.git w
commit w large "$(seq 1 20001)"
git -C w push --quiet

### into loose objects
given loose
git clone --quiet $url/loose.git w
commit w large "$(seq 1 20001)"
git -C w push --quiet
git -C w push --quiet origin :side-5

### submodules, links, modes
given empty
git init --quiet w
printf '[submodule "m"]\n\tpath = m\n\turl = ../m.git\n' >w/.gitmodules
ln -s nowhere w/link
printf x >w/run
chmod +x w/run
git -C w add .
git -C w update-index --add --cacheinfo 160000,1111111111111111111111111111111111111111,m
git -C w commit --quiet --message all
git -C w push --quiet $url/empty.git main
