"""owners.py FILE: a layer with many owners and all that a directory of a user's does not show,
in the order in which lib/stream has names."""
import io
import sys
import tarfile


def add(tar, name, mode=0o644, kind=tarfile.REGTYPE, data=b"", uid=0, gid=0, link=""):
    info = tarfile.TarInfo(name)
    info.mode, info.type, info.uid, info.gid, info.linkname = mode, kind, uid, gid, link
    info.size, info.mtime = len(data), 1000000000
    tar.addfile(info, io.BytesIO(data))


with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    add(tar, "./", 0o755, tarfile.DIRTYPE)
    add(tar, "A b#=*?[\\c\n", data=b"x", uid=3, gid=4)
    add(tar, "bin", 0o755, tarfile.DIRTYPE)
    for i in range(300):
        mode = 0o4755 if i % 7 == 0 else 0o755
        add(tar, "bin/%03d" % i, mode, data=bytes([i % 256]) * (i * 331), uid=i * 1000, gid=i)
    add(tar, "closed", 0, tarfile.DIRTYPE, uid=7, gid=7)
    add(tar, "closed/x", 0, data=b"y" * 200000, uid=8, gid=9)
    add(tar, "etc", 0o2775, tarfile.DIRTYPE, gid=50)
    add(tar, "etc/hard", 0o6711, data=b"h" * 10, uid=1, gid=2)
    add(tar, "fifo", 0o600, tarfile.FIFOTYPE, uid=5)
    add(tar, "link", 0o777, tarfile.SYMTYPE, link="/etc", uid=77, gid=78)
    add(tar, "n" * 255, 0o600, data=b"long", uid=4294967294, gid=4294967294)
    add(tar, "sparse", 0o600, data=b"a" * 10 + bytes(1000000) + b"b", uid=12)
    add(tar, "tmp", 0o1777, tarfile.DIRTYPE)
    add(tar, "zhard", 0o6711, tarfile.LNKTYPE, link="etc/hard")
    add(tar, b"z\xff\xe9".decode("utf8", "surrogateescape"), 0o600, data=b"q", uid=99)
