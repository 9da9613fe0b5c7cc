### without blobs
given history
on_server config uploadpack.allowFilter true
git clone --no-checkout --filter blob:none $url/history.git c
git -C c rev-list --objects --all --missing=print | grep --count '^?'

### without blobs, version 0
given history
on_server config uploadpack.allowFilter true
git -c protocol.version=0 clone --quiet --bare --filter blob:none $url/history.git c

### a checkout brings the blobs
given history
on_server config uploadpack.allowFilter true
on_server config uploadpack.allowAnySHA1InWant true
git clone --quiet --filter blob:none $url/history.git c
git -C c status
git -C c log --patch --format=%H -3 | wc --lines
git -C c checkout --quiet side-5

### a checkout brings the blobs, version 0
given history
on_server config uploadpack.allowFilter true
on_server config uploadpack.allowAnySHA1InWant true
git -c protocol.version=0 clone --quiet --filter blob:none $url/history.git c
git -C c status --short

### without large blobs
given history
on_server config uploadpack.allowFilter true
for limit in 0 1 100 1k 1m; do git clone --quiet --bare --filter blob:limit=$limit $url/history.git c$limit; done

### without trees
given history
on_server config uploadpack.allowFilter true
for depth in 0 1 2 3; do git clone --quiet --bare --filter tree:$depth $url/history.git c$depth; done

### a checkout without trees
given history
on_server config uploadpack.allowFilter true
on_server config uploadpack.allowAnySHA1InWant true
git clone --quiet --filter tree:0 $url/history.git c
git -C c status --short
git -C c log --format=%H -- top | wc --lines

### sparse
given history
on_server config uploadpack.allowFilter true
git clone --quiet --bare --single-branch --no-tags --filter sparse:oid=main:sparse $url/history.git c
refused git clone --quiet --bare --single-branch --no-tags --filter sparse:oid=main:nowhere $url/history.git d

### kinds of objects
given history
on_server config uploadpack.allowFilter true
for kind in commit tree blob tag; do git clone --quiet --bare --filter object:type=$kind $url/history.git c-$kind; done

### combined
given history
on_server config uploadpack.allowFilter true
git clone --quiet --bare --single-branch --no-tags --filter combine:blob:limit=100+tree:3 $url/history.git c
git clone --quiet --bare --single-branch --no-tags --filter blob:none --filter tree:2 $url/history.git d

### not allowed
given history
git clone --bare --filter blob:none $url/history.git c
git -c protocol.version=0 clone --bare --filter blob:none $url/history.git d

### one kind not allowed
given history
on_server config uploadpack.allowFilter true
on_server config uploadpackfilter.tree.allow false
refused git clone --quiet --bare --filter tree:1 $url/history.git c
git clone --quiet --bare --filter blob:none $url/history.git d

### none allowed but one
given history
on_server config uploadpack.allowFilter true
on_server config uploadpackfilter.allow false
on_server config uploadpackfilter.blob:none.allow true
refused git clone --quiet --bare --filter blob:limit=1 $url/history.git c
git clone --quiet --bare --filter blob:none $url/history.git d

### trees not too deep
given history
on_server config uploadpack.allowFilter true
on_server config uploadpackfilter.tree.maxDepth 1
refused git clone --quiet --bare --filter tree:2 $url/history.git c
git clone --quiet --bare --filter tree:1 $url/history.git d

### malformed
given history
on_server config uploadpack.allowFilter true
pkt 'command=fetch' 0001 'filter blob:nothing' "want $(id main)" done 0000 | post upload-pack --header 'Git-Protocol: version=2' | unsaid
pkt "want $(id main) filter" 'filter what' 0000 done | post upload-pack | unsaid

### later fetches
given history
on_server config uploadpack.allowFilter true
on_server config uploadpack.allowAnySHA1InWant true
git clone --quiet --bare --filter blob:none $url/history.git c
git clone --quiet $url/history.git w
commit w new/file new
commit w top changed
git -C w push --quiet origin main
git -C c fetch --quiet origin main
git -C c rev-list --objects --missing=print FETCH_HEAD | grep --count '^?'

### everything again, unfiltered
given history
on_server config uploadpack.allowFilter true
git clone --quiet --bare --filter blob:none $url/history.git c
git -C c fetch --quiet --refetch --no-filter origin main
git -C c rev-list --objects --missing=print main | grep '^?' || true

### a push from a partial clone
given history
on_server config uploadpack.allowFilter true
on_server config uploadpack.allowAnySHA1InWant true
git clone --quiet --filter blob:none $url/history.git c
commit c top new
git -C c push --quiet origin main
