### a fetch of version 0
given history
git clone --quiet $url/history.git c
git clone --quiet $url/history.git w
commit w large "$(seq 1 20001)"
git -C w push --quiet
asks 'multi_ack_detailed no-done side-band-64k thin-pack no-progress include-tag ofs-delta deepen-since deepen-not agent=' \
    git -C c -c protocol.version=0 fetch --quiet
git -C c rev-parse origin/main

### depths of version 0
given history
git -c protocol.version=0 clone --quiet --depth 2 $url/history.git c
git -C c config protocol.version 0
asks 'deepen-relative shallow deepen' git -C c fetch --quiet --deepen 3
asks deepen-since git -C c fetch --quiet --shallow-since '@1700015000 +0000'
asks deepen-not git -C c fetch --quiet --shallow-exclude v1
git -C c rev-list --count HEAD

### a fetch of version 2
given history
git clone --quiet $url/history.git c
git clone --quiet $url/history.git w
commit w large "$(seq 1 20001)"
git -C w push --quiet
asks 'command=ls-refs peel symrefs ref-prefix command=fetch have want thin-pack no-progress include-tag ofs-delta agent= object-format=sha1' \
    git -C c -c protocol.version=2 fetch --quiet
git -C c rev-parse origin/main

### depths of version 2
given history
git clone --quiet --depth 2 $url/history.git c
asks 'deepen-relative shallow deepen' git -C c fetch --quiet --deepen 3
asks deepen-since git -C c fetch --quiet --shallow-since '@1700015000 +0000'
asks deepen-not git -C c fetch --quiet --shallow-exclude v1
git -C c rev-list --count HEAD

### what version 2 can do besides
given history headless
on_server config uploadpack.allowRefInWant true
on_server config uploadpack.allowSidebandAll true
git clone --quiet $url/history.git c
commit c mine mine
asks wait-for-done git -C c fetch --negotiate-only --negotiation-tip=main origin
git init --quiet x
asks 'want-ref sideband-all' git -C x fetch --quiet $url/history.git refs/heads/side-5:refs/heads/x
asks unborn git clone --quiet $url/headless.git unborn
git -C unborn symbolic-ref HEAD
asks server-option=word git -C c -c protocol.version=2 ls-remote --server-option word origin side-10

### filters, each version
given history
on_server config uploadpack.allowFilter true
for version in 0 2; do
    for filter in blob:none blob:limit=100 tree:1 object:type=commit combine:blob:none+tree:2 sparse:oid=main:sparse; do
        asks filter git -c protocol.version=$version clone --quiet --bare --single-branch --no-tags --filter $filter \
            $url/history.git "c$version-$filter"
    done
done

### names of sessions
given history
on_server config transfer.advertiseSID true
for version in 0 2; do
    asks session-id= git -c protocol.version=$version -c transfer.advertiseSID=true clone --quiet $url/history.git c$version
done
commit c2 file text
asks session-id= git -C c2 -c transfer.advertiseSID=true push --quiet origin main

### a push
given history empty
on_server config receive.advertisePushOptions true
git clone --quiet --depth 3 $url/history.git w
commit w large "$(seq 1 20001)"
asks 'report-status-v2 side-band-64k quiet object-format=sha1 agent= atomic push-options' \
    git -C w push --quiet --atomic --push-option word origin main main:new
asks "$(printf %040d 0)" git -C w push origin :new
git -C $root/empty.git config receive.shallowUpdate true
asks 'shallow' git -C w push --quiet $url/empty.git main
