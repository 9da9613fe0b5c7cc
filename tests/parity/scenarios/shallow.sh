### depth 1
given history
git clone --depth 1 $url/history.git c
git -C c log --oneline

### depth 1 of a branch, all versions
given history
for version in 0 1 2; do
    git -c protocol.version=$version clone --quiet --depth 1 --branch side-10 $url/history.git c$version
done

### depth 7 of all branches
given history
git clone --quiet --depth 7 --no-single-branch $url/history.git c

### depth of a tag
given history
git clone --quiet --depth 2 --branch v1 $url/history.git c

### deeper than the history
given history
git clone --quiet --depth 1000 $url/history.git c

### since
given history
git clone --quiet --shallow-since '@1700015000 +0000' $url/history.git c
git -C c rev-list --count HEAD

### since, of all branches
given history
git clone --quiet --no-single-branch --shallow-since '@1700012050 +0000' $url/history.git c

### since a time after everything
given history
refused git clone --quiet --shallow-since '@1800000000 +0000' $url/history.git c

### without what a tag leads to
given history
git clone --quiet --shallow-exclude v1 $url/history.git c

### without what a branch leads to
given history
git clone --quiet --shallow-exclude side-15 --no-single-branch $url/history.git c

### without what is not there
given history
refused git clone --quiet --shallow-exclude nowhere $url/history.git c

### since and without
given history
git clone --quiet --shallow-exclude v1 --shallow-since '@1700016000 +0000' $url/history.git c

### deepened by a number
given history
git clone --quiet --depth 2 $url/history.git c
for number in 1 3 10; do
    git -C c fetch --quiet --deepen $number
    git -C c rev-list --count HEAD
done

### deepened, version 0
given history
git -c protocol.version=0 clone --quiet --depth 2 $url/history.git c
git -C c -c protocol.version=0 fetch --quiet --deepen 5
git -C c rev-list --count HEAD

### another depth, deeper and less deep
given history
git clone --quiet --depth 3 $url/history.git c
git -C c fetch --quiet --depth 9
git -C c rev-list --count HEAD
git -C c fetch --quiet --depth 4
git -C c rev-list --count HEAD

### deepened to a time and to a reference
given history
git clone --quiet --depth 3 $url/history.git c
git -C c fetch --quiet --shallow-since '@1700015000 +0000'
git -C c rev-list --count HEAD
git -C c fetch --quiet --shallow-exclude v1
git -C c rev-list --count HEAD

### not shallow any more
given history
git clone --quiet --depth 2 $url/history.git c
git -C c fetch --unshallow
git -C c rev-list --count HEAD

### not shallow any more, version 0
given history
git -c protocol.version=0 clone --quiet --depth 2 $url/history.git c
git -C c -c protocol.version=0 fetch --quiet --unshallow

### a fetch into a shallow clone
given history
git clone --quiet --depth 2 $url/history.git c
git clone --quiet $url/history.git w
commit w new new
git -C w push --quiet origin main
git -C c fetch
git -C c rev-list --count origin/main

### another branch into a shallow clone
given history
git clone --quiet --depth 2 $url/history.git c
git -C c fetch --quiet origin side-5
git -C c fetch --quiet --depth 1 origin side-10

### a shallow clone of a shallow repository
given history
git clone --quiet --bare --depth 5 $url/history.git $root/shallow.git
git clone --quiet --bare $url/shallow.git c || true
git clone --quiet --depth 2 --bare $url/shallow.git d

### a shallow clone that is fetched from
given history
git clone --quiet --bare --depth 5 $url/history.git $root/shallow.git
git init --quiet c
git -C c fetch --quiet --update-shallow $url/shallow.git main
git -C c fetch --quiet --unshallow $url/shallow.git main

### depth with a filter
given history
on_server config uploadpack.allowFilter true
git clone --quiet --depth 2 --filter blob:none --no-checkout $url/history.git c
