### everything
given history
git clone $url/history.git c
git -C c status
git -C c branch --all

### bare
given history
git clone --bare $url/history.git c

### mirror
given history
git clone --mirror $url/history.git c
git -C c for-each-ref | wc --lines

### one branch
given history
git clone --single-branch --branch side-10 $url/history.git c

### one branch without tags
given history
git clone --bare --single-branch --no-tags --branch side-5 $url/history.git c

### a tag
given history
git clone --quiet --single-branch --branch v2 $url/history.git c

### a branch that is not there
given history
refused git clone --branch nowhere $url/history.git c

### a repository that is not there
refused git clone $url/nowhere.git c

### empty
given empty
git clone $url/empty.git c
git -C c status

### empty, each version
given empty
for version in 0 1 2; do git -c protocol.version=$version clone --quiet $url/empty.git c$version; done
git -C c2 symbolic-ref HEAD

### an empty one whose branch has another name
given empty
git -C $root/empty.git symbolic-ref HEAD refs/heads/trunk
git clone $url/empty.git c
git -C c symbolic-ref HEAD

### HEAD names a branch that is not there
given headless
git clone $url/headless.git c
git clone --bare $url/headless.git bare

### HEAD is detached
given detached
git clone $url/detached.git c
git -C c rev-parse HEAD

### version 0
given history
git -c protocol.version=0 clone $url/history.git c

### version 1
given history
git -c protocol.version=1 clone $url/history.git c

### version 2
given history
git -c protocol.version=2 clone $url/history.git c

### loose objects and loose references
given loose
git clone --mirror $url/loose.git c

### many packs and loose objects
given mixed
git clone --mirror $url/mixed.git c

### objects of an alternate
given history borrowing
git clone --bare $url/borrowing.git c

### many references
given many
git clone --quiet --mirror $url/many.git c

### two histories without a common commit
given islands
git clone --quiet --mirror $url/islands.git c

### hidden references
given secret
git -C $root/secret.git config transfer.hideRefs refs/hidden
git -C $root/secret.git config --add uploadpack.hideRefs refs/pull
git clone --quiet --mirror $url/secret.git c

### checked objects
given history
git -c fetch.fsckObjects=true clone --quiet --mirror $url/history.git c

### a remote HEAD that is guessed
given history
git clone --quiet --origin upstream $url/history.git c
git -C c remote set-head upstream --auto

### a path that is encoded
given history
mv $root/history.git "$root/with space.git"
git clone $url/with%20space.git c

### a path below folders
mkdir -p $root/one/two
given history
mv $root/history.git $root/one/two/
git clone --quiet --bare $url/one/two/history.git c

### uploads switched off
given history
on_server config http.uploadpack false
refused git clone $url/history.git c
