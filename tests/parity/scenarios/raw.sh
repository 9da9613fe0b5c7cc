### advertisements
given history empty headless detached
for name in history empty headless detached; do
    for service in upload receive; do
        for version in 0 1 2; do
            if [[ $service$version != receive2 ]]; then
                get "$name.git/info/refs?service=git-$service-pack" --header "Git-Protocol: version=$version"
            fi
        done
    done
done

### advertisement of a push of version 2
given history
get "history.git/info/refs?service=git-receive-pack" --header 'Git-Protocol: version=2'

### configured advertisements
given history
for setting in uploadpack.allowFilter uploadpack.allowAnySHA1InWant uploadpack.allowTipSHA1InWant uploadpack.allowReachableSHA1InWant \
    uploadpack.allowRefInWant uploadpack.allowSidebandAll receive.advertisePushOptions transfer.advertiseSID \
    transfer.advertiseObjectInfo; do
    on_server config $setting true
    get 'history.git/info/refs?service=git-upload-pack'
    get 'history.git/info/refs?service=git-upload-pack' --header 'Git-Protocol: version=2'
    get 'history.git/info/refs?service=git-receive-pack' 
    on_server config --unset $setting
done 2>&1 | sed 's/session-id=[^ ]*/session-id=X/'

### odd addresses
given history
for path in 'history.git/info/refs?service=git-nothing' history.git/git-nothing history.git nothing.git/info/refs?service=git-upload-pack; do
    get $path --output /dev/null --head | head -1
done
get 'history.git/git-upload-pack' --output /dev/null
get 'history.git/git-receive-pack' --output /dev/null

### another content type
given history
curl --silent --data '' --header 'Content-Type: text/plain' --output /dev/null --write-out '%{http_code}\n' \
    $url/history.git/git-upload-pack

### an old client that knows no capability
given history
pkt "want $(id main)" 0000 done | post upload-pack

### an old client, with haves
given history
pkt "want $(id main)" 0000 "have $(id main~30)" done | post upload-pack
pkt "want $(id main)" 0000 "have 4444444444444444444444444444444444444444" "have $(id main~30)" 0000 | post upload-pack

### kinds of acknowledgement
given history
for kind in multi_ack multi_ack_detailed 'multi_ack_detailed no-done'; do
    echo "--- $kind"
    pkt "want $(id main) $kind ofs-delta" 0000 "have 4444444444444444444444444444444444444444" "have $(id side-15)" 0000 | post upload-pack
    pkt "want $(id main) $kind ofs-delta" 0000 "have $(id main~30)" "have $(id main~20)" 0000 | post upload-pack
    pkt "want $(id main) $kind" 0000 "have $(id main)" 0000 | post upload-pack
    pkt "want $(id main) $kind" 0000 "have 4444444444444444444444444444444444444444" done | post upload-pack
    pkt "want $(id main) $kind" 0000 "have $(id main~30)" 0000 "have $(id main~1)" done | post upload-pack
done

### small and large side bands
given history
for band in side-band side-band-64k; do
    pkt "want $(id main) $band no-progress" 0000 done | post upload-pack
done

### tags come along, or not
given history
for want in main~2 main side-5; do
    pkt "want $(id $want) include-tag ofs-delta" 0000 done | post upload-pack
    pkt "want $(id $want) ofs-delta" 0000 done | post upload-pack
done

### depths
given history
pkt "want $(id main) shallow" 'deepen 3' 0000 | post upload-pack
pkt "want $(id main) shallow" 'deepen 3' 0000 done | post upload-pack
pkt "want $(id main) shallow" "shallow $(id main~1)" 'deepen 3' 0000 | post upload-pack
pkt "want $(id main) shallow" "shallow $(id main~1)" 'deepen 2147483647' 0000 | post upload-pack
pkt "want $(id main) shallow deepen-relative" "shallow $(id main~1)" 'deepen 1' 0000 | post upload-pack
pkt "want $(id main) shallow deepen-since" 'deepen-since 1700016000' 0000 | post upload-pack
pkt "want $(id main) shallow deepen-not" 'deepen-not refs/tags/v1' 0000 | post upload-pack
pkt "want $(id main) shallow deepen-not" 'deepen-not side-10' 0000 | post upload-pack

### malformed requests
given history
main=$(id main)
try() { pkt "$@" | post upload-pack | unsaid; }
try "want xyz"
try "wish $main" 0000 done
try "want $main" 'deepen 0' 0000 done
try "want $main" 'deepen -1' 0000 done
try "want $main" 'deepen x' 0000 done
try "want $main" 'shallow x' 0000 done
try "want $main" 'deepen-since x' 0000 done
try "want $main" 'deepen-not nowhere' 0000 done
try "want $main" 'deepen 1' 'deepen-not v1' 0000 done
try "want $main" 'filter blob:none' 0000 done
try "want $main" 0000 'have x' done
try "want $main" 0000 'what' done
try "want 5555555555555555555555555555555555555555" 0000 done
try 0000
printf '' | post upload-pack | unsaid
printf '00zz' | post upload-pack | unsaid
printf '0003' | post upload-pack | unsaid
printf '0032want' | post upload-pack | unsaid

### version 2: lists
given history headless
v2() { pkt "$@" | post upload-pack --header 'Git-Protocol: version=2'; }
v2 command=ls-refs 0000
v2 command=ls-refs 0001 peel symrefs 0000
v2 command=ls-refs 0001 peel symrefs 'ref-prefix refs/tags/' 'ref-prefix HEAD' 0000
v2 command=ls-refs 0001 'ref-prefix refs/heads/side-1' 'ref-prefix refs/heads/side-10' 0000
v2 command=ls-refs 0001 'ref-prefix nothing' 0000
v2 command=ls-refs agent=test object-format=sha1 0001 unborn symrefs 0000
repository=headless v2 command=ls-refs 0001 unborn symrefs 0000
repository=headless v2 command=ls-refs 0001 symrefs 0000
v2 command=ls-refs 0001 what 0000 | unsaid

### version 2: fetches
given history
on_server config uploadpack.allowRefInWant true
v2() { pkt "$@" | post upload-pack --header 'Git-Protocol: version=2'; }
v2 command=fetch 0001 "want $(id main)" ofs-delta no-progress done 0000
v2 command=fetch 0001 "want $(id main)" "have $(id main~30)" ofs-delta 0000
v2 command=fetch 0001 "want $(id main)" "have $(id main~30)" ofs-delta wait-for-done 0000
v2 command=fetch 0001 "want $(id main)" "have 4444444444444444444444444444444444444444" ofs-delta 0000
v2 command=fetch 0001 "want $(id main)" "have $(id side-15)" "have 4444444444444444444444444444444444444444" done 0000
v2 command=fetch 0001 "want-ref refs/heads/side-5" 'want-ref refs/tags/v1' done 0000
v2 command=fetch 0001 "want-ref refs/heads/nowhere" done 0000
v2 command=fetch 0001 "want $(id main)" 'deepen 2' done 0000
v2 command=fetch 0001 "want $(id main)" "shallow $(id main~1)" 'deepen 2' deepen-relative done 0000
v2 command=fetch 0001 "want $(id main)" 'deepen-since 1700016000' done 0000
v2 command=fetch 0001 "want $(id main)" 'deepen-not refs/tags/v1' done 0000
v2 command=fetch 0001 "want $(id v1)" include-tag done 0000
v2 command=fetch 0001 "want $(id main~2)" include-tag done 0000

### version 2: malformed
given history
v2() { pkt "$@" | post upload-pack --header 'Git-Protocol: version=2' | unsaid; }
v2 command=nothing 0000
v2 what 0000
v2 command=ls-refs command=fetch 0000
v2 command=fetch 0001 'want x' 0000
v2 command=fetch 0001 'what' 0000
v2 command=fetch 0001 'want 5555555555555555555555555555555555555555' done 0000
v2 command=fetch 0001 "want-ref refs/heads/main" done 0000
v2 command=fetch 0001 "want $(id main)" 'filter blob:none' done 0000
v2 command=fetch 0001 done 0000
v2 command=fetch object-format=sha256 0001 "want $(id main)" done 0000
v2 command=object-info 0001 size "oid $(id main)" 0000
v2 0000

### version 2: sizes of objects
given history
on_server config transfer.advertiseObjectInfo true
v2() { pkt "$@" | post upload-pack --header 'Git-Protocol: version=2'; }
v2 command=object-info 0001 size "oid $(id main)" "oid $(id main:top)" 0000
v2 command=object-info 0001 "oid $(id main)" 0000
v2 command=object-info 0001 size 'oid 4444444444444444444444444444444444444444' 0000

### a push without capabilities
given history
new=$(id main~1)
pkt "$(printf %040d 0) $new refs/heads/new" "$(id side-5) $(printf %040d 0) refs/heads/side-5" 0000 | post receive-pack
pkt "$(printf %040d 0) $new refs/heads/newer\\0report-status" 0000 | post receive-pack | unsaid

### a push of moves that cannot be
given history
zero=$(printf %040d 0)
main=$(id main)
try() { (pkt "$@" 0000; on_server pack-objects --stdout -q </dev/null) | post receive-pack; }
try "$(id side-5) $main refs/heads/main\\0report-status"
try "$zero $main refs/heads/main\\0report-status"
try "$zero $main refs/heads/bad..name\\0report-status"
try "$zero $main refs/heads/\\0report-status"
try "$zero $main new\\0report-status"
try "$zero $main HEAD\\0report-status"
try "$zero $main refs/heads/x.lock\\0report-status"
try "$zero 4444444444444444444444444444444444444444 refs/heads/new\\0report-status"
try "$zero $(id main:top) refs/heads/blob\\0report-status"
try "$zero $(id v1) refs/heads/tag\\0report-status"
try "$zero $(id main:top) refs/tags/blob\\0report-status"
try "$main $zero refs/heads/nowhere\\0report-status"
try "$zero $zero refs/heads/nowhere\\0report-status"
try "$zero $main refs/heads/v2\\0report-status-v2 object-format=sha1"

### a push that names a reference twice
given history
zero=$(printf %040d 0)
(
    pkt "$zero $(id main) refs/heads/twice\\0report-status" "$zero $(id main) refs/heads/twice" 0000
    on_server pack-objects --stdout -q </dev/null
) | post receive-pack

### a push with a broken pack
given history
on_server pack-objects --stdout -q --revs >pack <<<main
for change in "s/PACK/PUCK/" 's/$/x/'; do
    (pkt "$(printf %040d 0) $(id main) refs/heads/new\\0report-status side-band-64k" 0000; sed "1 $change" pack) | post receive-pack | unsaid
done
(pkt "$(printf %040d 0) $(id main) refs/heads/new\\0report-status" 0000; head --bytes 3000 pack) | post receive-pack | unsaid
(pkt "$(printf %040d 0) $(id main) refs/heads/new\\0report-status" 0000) | post receive-pack | unsaid

### malformed pushes
given history
for line in what "$(id main) $(id main)" "$(id main) x refs/heads/main" "shallow x"; do
    pkt "$line" 0000 | post receive-pack | unsaid
done
printf '' | post receive-pack | unsaid
pkt 0000 | post receive-pack | unsaid
printf 'zzzz' | post receive-pack | unsaid

### compressed and cut in chunks
given history
pkt "want $(id main) ofs-delta" 0000 done | gzip | post upload-pack --header 'Content-Encoding: gzip'
pkt "want $(id main) ofs-delta" 0000 done | gzip | post upload-pack --header 'Content-Encoding: x-gzip' --header 'Transfer-Encoding: chunked'
pkt "want $(id main) ofs-delta" 0000 done | post upload-pack --header 'Transfer-Encoding: chunked'
pkt "want $(id main) ofs-delta" 0000 done | post upload-pack --header 'Expect: 100-continue'

### headers of answers
given history
for service in upload receive; do
    curl --silent --include "$url/history.git/info/refs?service=git-$service-pack" | grep --text --ignore-case '^\(HTTP\|Content-Type\|Cache-Control\|Pragma\|Expires\)' | tr -d '\r'
done
pkt "want $(id main)" 0000 done | curl --silent --include --data-binary @- --header 'Content-Type: application/x-git-upload-pack-request' \
    $url/history.git/git-upload-pack | grep --text --ignore-case '^\(HTTP\|Content-Type\|Cache-Control\|Pragma\|Expires\)' | tr -d '\r'
