"""Images made byte by byte, right or wrong: tar, gzip, zstd, and the documents around them."""
import gzip
import json
import platform

from hostile import digest

TYPE = "application/vnd.oci.image."
MANIFEST, INDEX, CONFIG = (TYPE + kind + ".v1+json" for kind in ("manifest", "index", "config"))
LAYER = TYPE + "layer.v1.tar"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
BLOCK = 512
END = bytes(2 * BLOCK)


def number(value, width):
    """Octal where it fits, otherwise base 256, as GNU tar does; negative ones too."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    sign = 0x80 if value >= 0 else 0xff
    return bytes([sign]) + (value % (1 << 8 * (width - 1))).to_bytes(width - 1, "big")


def header(name, size=0, kind="0", link="", mode=0o644, gnu=False, sparse=None):
    block = bytearray(BLOCK)

    def put(at, value):
        assert at not in (0, 157) or len(value) <= 100, value
        block[at:at + len(value)] = value
    put(0, name.encode())
    put(100, number(mode, 8))
    put(108, number(0, 8))
    put(116, number(0, 8))
    put(124, number(size, 12))
    put(136, number(1700000000, 12))
    put(148, b" " * 8)
    put(156, kind.encode())
    put(157, link.encode())
    put(257, b"ustar  \0" if gnu or sparse is not None else b"ustar\00000")
    if sparse is not None:
        put(483, number(sparse, 12))
    put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


def member(name, data=b"", **more):
    return header(name, len(data), **more) + padded(data)


def pax(**records):
    """Overrides what the header behind it says; "__" stands for a point."""
    body = b""
    for key, value in records.items():
        line = f" {key.replace('__', '.')}={value}\n".encode()
        length = len(line) + 1
        while len(str(length)) + len(line) != length:
            length = len(str(length)) + len(line)
        body += str(length).encode() + line
    return member("pax", body, kind="x")


def long_name(name, kind="L"):
    """The name of the next member, or with "K" what it is a link to."""
    return member("././@LongLink", name.encode() + b"\0", kind=kind, gnu=True)


def directory(name, **more):
    return header(name, kind="5", mode=0o755, **more)


def link(name, target):
    return header(name, kind="2", link=target)


def hard_link(name, target):
    return header(name, kind="1", link=target)


def zstd(data=b"", zeros=0, window=17):
    """DATA, then so many blocks of 128 KiB of zeros: four bytes each. RFC 8878, section 3.1.1"""
    blocks = []
    for at in range(0, len(data), 1 << 17):
        part = data[at:at + (1 << 17)]
        blocks.append((len(part) << 3).to_bytes(3, "little") + part)
    zero = (1 << 17 << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return (b"\x28\xb5\x2f\xfd\0" + bytes([window - 10 << 3]) + b"".join(blocks) + zero * zeros
            + (1).to_bytes(3, "little"))


def gzipped(data):
    return gzip.compress(data, 6, mtime=0)


class Image:
    """
    What a registry has: blobs by their digests, and DOCUMENT, which is a:1. CONFIG and
    MANIFEST may change the documents, or give bytes in their place.
    """

    def __init__(self, *tars, encode=gzipped, diff_ids=None, config=None, manifest=None):
        self.blobs = {}
        layers = [self.put(encode(tar), LAYER + {zstd: "+zstd", bytes: ""}.get(encode, "+gzip")) for tar in tars]
        document = {"architecture": MACHINE, "os": "linux",
                    "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest(tar) for tar in tars]}}
        described = self.put(self.write(document, config), CONFIG)
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": layers}
        self.document = self.write(document, manifest)
        self.media_type = MANIFEST

    @staticmethod
    def write(document, change):
        changed = change(document) if change else None
        return changed if isinstance(changed, bytes) else json.dumps(document).encode()

    def put(self, data, media_type):
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def routes(self, blob=None):
        """Of the image as a. BLOB answers in place of the blobs."""
        return [("/v2/a/manifests/.*", self.answer_manifest), ("/v2/a/blobs/.*", blob or self.answer_blob)]

    def answer_manifest(self, handler):
        what = handler.path.split("/")[-1]
        data = self.blobs.get(what, self.document)
        kind = json.loads(data).get("mediaType", MANIFEST) if what in self.blobs else self.media_type
        handler.answer(200, data, [("Content-Type", kind)] if kind else [])

    def answer_blob(self, handler):
        data = self.blobs.get(handler.path.split("?")[0].split("/")[-1])
        if data is None:
            handler.answer(404)
        else:
            handler.blob(data)
