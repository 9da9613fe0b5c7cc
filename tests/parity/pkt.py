"""Frames pkt-lines for raw requests, and shows answers so that they can be compared.

    pkt.py frame LINE...      writes lines; 0000 and 0001 stand for themselves, `\\0` and `\\n` in a line are those bytes
    pkt.py show               reads an answer; capabilities are sorted, a pack is shown as the objects that it has
"""

import re
import sys


def frame(lines):
    for line in lines:
        if line in ("0000", "0001"):
            yield line.encode()
        else:
            data = line.encode().replace(b"\\0", b"\0").replace(b"\\n", b"\n")
            yield b"%04x" % (len(data) + 4) + data


def objects(pack):
    # Most answers have no pack, and this takes longer than all else.
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
        feed = subprocess.run(["git", "index-pack", "--stdin"], cwd=folder, input=pack, capture_output=True)
        if feed.returncode:
            return f"<pack of {int.from_bytes(pack[8:12])} that does not stand alone>"
        index = feed.stdout.split()[-1].decode()
        listed = subprocess.run(["git", "verify-pack", "-v", f"objects/pack/pack-{index}.idx"], cwd=folder, capture_output=True)
        found = sorted(" ".join(line.split()[:2]) for line in listed.stdout.decode().splitlines() if re.match("[0-9a-f]{40} ", line))
        return "<pack>\n" + "\n".join(found)


def text(line):
    """Shows one line; the capabilities after its zero byte in the order of the alphabet."""
    line, zero, capabilities = line.rstrip(b"\n").partition(b"\0")
    shown = line.decode(errors="backslashreplace")
    return shown + " | " + " ".join(sorted(capabilities.decode().split())) if zero else shown


def show(data):
    lines, band, position, versions = [], b"", 0, None
    while position < len(data):
        digits = data[position : position + 4]
        if digits == b"PACK":
            lines.append(objects(data[position:]))
            break
        if not re.fullmatch(b"[0-9a-fA-F]{4}", digits):
            lines.append("plain: " + data[position:].decode(errors="backslashreplace"))
            break
        length = int(digits, 16)
        if length < 4:
            lines.append(f"{length:04x}")
            position += 4
            continue
        line = data[position + 4 : position + length]
        position += length
        if line[:1] == b"\1":
            band += line[1:]
        elif line[:1] == b"\2":
            continue
        elif line[:1] == b"\3":
            lines.append("fatal: " + line[1:].decode())
        else:
            lines.append(text(line))
            if line == b"version 2\n":
                versions = len(lines)
    if versions:
        # The order in which version 2 lists its capabilities means nothing.
        lines[versions:-1] = sorted(lines[versions:-1])
    if band[:4] == b"PACK":
        lines.append(objects(band))
    elif band:
        lines.append(show(band))
    return "\n".join(lines)


command, *arguments = sys.argv[1:]
if command == "frame":
    sys.stdout.buffer.write(b"".join(frame(arguments)))
else:
    print(show(sys.stdin.buffer.read()))
