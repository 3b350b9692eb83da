"""A blade's device and directory from outside: where what lies, and how to damage it.
docs/format/superblock.md"""
import os
import re
import subprocess

SUPERBLOCKS = (0, 64 << 10)
JOURNAL = 1 << 20
CHUNKS = 129 << 20
PAGE = 4096


def image(array, blade):
    return array.dir / f"blade-{blade}" / "blade.img"


def punch(path, start=CHUNKS):
    """What lies from `start` on becomes zeroes."""
    size = os.stat(path).st_size
    subprocess.run(["fallocate", "--punch-hole", "--offset", str(start), "--length",
                    str(size - start), str(path)], check=True)


def flip_bit(path, offset, bit=3):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))
        file.flush()
        os.fsync(file.fileno())


def used_pages(path, start, end):
    """Offsets of the pages in [start, end) that hold anything."""
    pages = []
    with open(path, "rb") as file:
        at = start
        while at < end:
            try:
                at = max(at, os.lseek(file.fileno(), at, os.SEEK_DATA)) // PAGE * PAGE
            except OSError:  # nothing but a hole behind
                break
            chunk = os.pread(file.fileno(), min(1 << 20, end - at), at)
            pages += [at + i for i in range(0, len(chunk), PAGE) if any(chunk[i:i + PAGE])]
            at += len(chunk)
    return [page for page in pages if page < end]


def without_cache(array, blades):
    """Starts these blades again with a read cache of nothing, so that reads reach their disks."""
    for blade in blades:
        config = array.dir / "etc" / f"blade-{blade}.toml"
        text, count = re.subn(r"(?m)^chunk_cache_bytes = \d+$", "chunk_cache_bytes = 0",
                              config.read_text())
        assert count == 1, text
        config.write_text(text)
        if array.pid(f"blade-{blade}"):
            array.run("blade", "stop", blade)
        array.run("blade", "start", blade)
