"""Times PutObject, a multipart upload and GetObject of one large object beside a copy of the same file on the same disk.

s3.py BINARY FOLDER [BYTES] [RUNS]

Prints a table in Markdown: the shortest of the runs, its ratio to the copy, and the largest memory of the server so far.
"""

import http.client
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.parse

PIECE = 1 << 20


def main(binary, folder, size=1 << 30, runs=3):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True)
    source = folder / "source"
    with source.open("wb") as file:
        block = os.urandom(PIECE)
        for _ in range(size // PIECE):
            file.write(block)
    command = [binary, "--listen", "127.0.0.1:0", "--data-dir", folder / "data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            line = next(line for line in server.stdout if line.startswith("ready "))
            address = urllib.parse.urlsplit(line.split()[1]).netloc
            measure(address, server.pid, folder, source, runs)
        finally:
            server.terminate()


def measure(address, process, folder, source, runs):
    (folder / "data/buckets/large").mkdir(parents=True)
    print("| of %d MiB | seconds | beside a copy | peak memory |" % (source.stat().st_size >> 20))
    print("| --- | --- | --- | --- |")
    copy = best(runs, lambda: shutil.copyfile(source, folder / "copy"))
    print("| copy of the file, with its pages in memory | %.2f | 1.0 | |" % copy)
    for name, work in [
        ("PutObject", lambda: put(address, "/large/whole", source, 0, source.stat().st_size)),
        ("GetObject", lambda: get(address, "/large/whole")),
        ("upload in parts of 64 MiB, one after the other", lambda: multipart(address, source)),
        ("CopyObject", lambda: request(address, "PUT", "/large/copy", {"x-amz-copy-source": "large/whole"})),
    ]:
        seconds = best(runs, work)
        print("| %s | %.2f | %.1f | %d MB |" % (name, seconds, seconds / copy, peak(process)))


def best(runs, work):
    times = []
    for _ in range(runs):
        begun = time.monotonic()
        work()
        times.append(time.monotonic() - begun)
    return min(times)


def request(address, method, path, headers={}, body=None):
    connection = http.client.HTTPConnection(address, blocksize=PIECE)
    connection.request(method, path, body, headers)
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, (reply.status, content)
    return reply, content


def put(address, path, source, first, size):
    def pieces():
        with source.open("rb") as file:
            file.seek(first)
            left = size
            while left:
                piece = file.read(min(left, PIECE))
                left -= len(piece)
                yield piece

    return request(address, "PUT", path, {"content-length": str(size)}, pieces())


def get(address, path):
    connection = http.client.HTTPConnection(address, blocksize=PIECE)
    connection.request("GET", path)
    reply = connection.getresponse()
    buffer = bytearray(PIECE)
    while reply.readinto(buffer):
        pass


def multipart(address, source):
    _, document = request(address, "POST", "/large/parts?uploads")
    upload = document.decode().split("<UploadId>")[1].split("<")[0]
    size, part, parts = source.stat().st_size, 64 << 20, []
    for number, first in enumerate(range(0, size, part), 1):
        path = "/large/parts?partNumber=%d&uploadId=%s" % (number, upload)
        reply, _ = put(address, path, source, first, min(part, size - first))
        parts.append("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>" % (number, reply.headers["etag"]))
    body = "<CompleteMultipartUpload>%s</CompleteMultipartUpload>" % "".join(parts)
    request(address, "POST", "/large/parts?uploadId=" + upload, body=body)


def peak(process):
    status = pathlib.Path("/proc/%d/status" % process).read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1000


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
