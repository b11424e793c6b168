"""Layers that mean harm. The rules themselves are in test/unit/flatten; here they come from a registry."""
import hashlib
import os
import resource
import stat

import made
from hostile import Server
from made import END, Image, directory, gzipped, hard_link, header, link, long_name, member, pax, zstd
from pull import ALL, Place, is_sanitized, refused, takes_minutes
from tap import check, equal, test

MIB = 1 << 20
MAKING = tuple(way for way in ALL if way != "convert")  # to a layout layers are copied as they are


def listed(top):
    """What is beneath a directory: types and permissions, sizes of files, targets of links."""
    found = {}
    for path, folders, files in os.walk(top):
        for name in folders + files:
            entry = os.path.join(path, name)
            state = os.lstat(entry)
            kind = stat.filemode(state.st_mode)
            found[os.path.relpath(entry, top)] = (kind, os.readlink(entry)) if kind[0] == "l" else \
                (kind, state.st_size) if kind[0] == "-" else (kind,)
    return {name: what for name, what in found.items() if not name.startswith(".coracle")}


@test
def what_looks_dangerous_and_is_not(folder):
    """Names lead nowhere but into the tree; device nodes are left out; what is twice counts once."""
    victim = folder + "/victim"
    os.mkdir(victim)
    depth = "../" * 12
    lower = (directory("etc") + member("etc/passwd", b"lower") + link("etc/out", victim) + link("etc/up", depth + victim[1:])
             + member("gone", b"x") + member("old", b"x") + END)
    upper = (member(depth + "above", b"1") + member("/absolute", b"22") + member("a/../b/./c", b"333")
             + member("etc/out/lower", b"4444") + link("own", victim) + member("own/upper", b"55555")
             + member("etc/up/two", b"666666") + hard_link("same", depth + "etc/passwd")
             + header("dev/sda", kind="4") + header("dev/null", kind="3") + header("pipe", kind="6")
             + member("su", b"x", mode=0o6755) + header(".wh.gone") + header(".wh.nothing") + header("no/.wh.where")
             + header("old/.wh..wh..opq") + member("twice", b"first") + member("twice", b"second one")
             + pax(path=depth + "pax/path") + member("harmless", b"7") + pax(linkpath=depth + "etc/passwd")
             + hard_link("pax/link", "x")
             + pax(size="3") + header("pax/size", 0) + made.padded(b"big") + long_name(depth + "long") + member("x", b"88") + END)
    with Server(Image(lower, upper).routes()) as server:
        place = Place(folder, server)
        for way in "new file", "cache", "convert":
            place.takes(way)
        result = place.takes("directory")
        check("device nodes of the image were left out" in result.err, result.err)
        inside = victim[1:]
        equal(os.listdir(victim), [])
        tree = listed(folder + "/tree")
        parents = {"/".join(inside.split("/")[:i]): ("drwxr-xr-x",) for i in range(1, inside.count("/") + 2)}
        expected = {
            "above": ("-rw-r--r--", 1), "absolute": ("-rw-r--r--", 2), "b": ("drwxr-xr-x",), "b/c": ("-rw-r--r--", 3),
            "etc": ("drwxr-xr-x",), "etc/out": ("lrwxrwxrwx", victim), "etc/up": ("lrwxrwxrwx", depth + inside),
            "etc/passwd": ("-rw-r--r--", 5), "same": ("-rw-r--r--", 5), "own": ("lrwxrwxrwx", victim),
            inside + "/lower": ("-rw-r--r--", 4), inside + "/upper": ("-rw-r--r--", 5), inside + "/two": ("-rw-r--r--", 6),
            "pipe": ("prw-r--r--",), "twice": ("-rw-r--r--", 10), "pax": ("drwxr-xr-x",), "pax/path": ("-rw-r--r--", 1),
            "pax/link": ("-rw-r--r--", 5), "pax/size": ("-rw-r--r--", 3), "long": ("-rw-r--r--", 2), **parents,
        }
        # Set-user-id bits are the image's, not this user's: in a directory they are recorded.
        expected.update({"su": ("-rwxr-xr-x", 1), "dev": ("drwxr-xr-x",), "old": ("-rw-r--r--", 1)})
        equal({name: what for name, what in tree.items() if expected.get(name) != what}, {})
        equal(set(expected) - set(tree), set())


@test
def entries_that_break_the_rules(folder):
    rows = [
        ("a hard link outside", hard_link("x", "../../etc/shadow"), "hard link to /etc/shadow, which does not exist"),
        ("of a name that terminals obey", hard_link("\x1b[31m\n\u202ex", "\x9b2J"), "which does not exist"),
        ("forward", hard_link("x", "y") + member("y"), "which does not"),
        ("to itself", member("x") + hard_link("x", "x"), "hard link to itself"),
        ("to itself, alone", hard_link("x", "x"), ""),
        ("to a directory", directory("d") + hard_link("x", "d"), "to the directory /d"),
        ("a whiteout of ..", header(".wh..."), "would remove a directory itself"),
        ("of .", header("d/.wh.."), "would remove a directory itself"),
        ("of nothing at all", header(".wh."), "would remove a directory itself"),
        ("the root as a file", member("."), "the root of the image is not a directory"),
        ("as a link", link("/", "/etc"), "the root of the image is not a directory"),
        ("a loop of links", link("a", "b") + link("b", "a") + member("a/x"), "more than 40 symbolic links"),
        ("a negative size", header("x", -1), ""),
        ("the most negative", header("x", -1 << 63), ""),
        ("a huge size", header("x", (1 << 63) - 1), ""),
        ("a size beyond the limit", header("x", (1 << 40) + 1), "up to 1024 GiB are read"),
        ("a sparse one", header("x", 0, kind="S", sparse=(1 << 40) + 1), "up to 1024 GiB are read"),
        ("together too large", member("x", b"x") + header("y", 0, kind="S", sparse=1 << 40),
         "/y: with it the files of the image have"),
        ("a negative sparse one", header("x", 0, kind="S", sparse=-1), ""),
        ("more than is there", header("x", 1 << 30), ""),
        ("a negative size by pax", pax(size="-1") + member("x"), ""),
        ("a huge one", pax(size=str(1 << 62)) + member("x"), ""),
        ("one that is no number", pax(size="many") + member("x", b"data"), None),
        ("no name by pax", pax(path="") + member("x"), None),
        ("a long name by pax", pax(path="x" * 300) + member("x"), "more than 255 bytes"),
        ("a long path", long_name("x/" * 2100) + member("x"), "more than 4095 bytes"),
        ("a long target", long_name("x" * 5000, "K") + link("x", "y"), "too long a path"),
        ("a longer name than any", long_name("x" * (2 << 20)) + member("x"), ""),
        ("a link to nothing", link("x", ""), "symbolic link to nothing"),
        ("no kind that is known", header("x", kind="!"), None),
        ("a pax header that is damaged", member("x", b"99 path=y\n", kind="x") + member("z"), None),
        ("a global pax header that is", member("x", b"-1 path=y\n", kind="g") + member("z"), None),
        ("a header that does not add up", b"x" + member("x")[1:-1] + b"y", ""),
        ("no tar", b"\x7fELF" + bytes(range(256)) * 40, ""),
    ]
    for number, (name, entries, part) in enumerate(rows):
        path = f"{folder}/{number}"
        image = Image(entries + END)
        if part is None:
            # Readers differ. Ours may take it or not, but neither dies nor leaves half.
            with Server(image.routes()) as server:
                os.mkdir(path)
                place = Place(path, server)
                result = place.run("pull", "{}", "new")
                check(result.status in (0, 125) and os.path.exists(path + "/new") == (result.status == 0), name, result.err)
            continue
        refused(path, image, "layer", "layer 1 of 1: ", part, ways=MAKING if number == 0 else ("file",))


@test
def layers_that_are_cut_off_or_go_on(folder):
    """Their digests are right: whoever made the image made it so."""
    tar = member("x", os.urandom(300000)) + END
    rows = [
        ("gzip", lambda data: gzipped(data)[:-9], "cut off"),
        ("gzip in the middle", lambda data: gzipped(data)[:100000], "cut off"),
        ("zstd", lambda data: zstd(data)[:-5], "cut off"),
        ("zstd in the middle", lambda data: zstd(data)[:150000], "cut off"),
        ("tar", lambda data: data[:200000], "damaged"),
        ("another gzip checksum", lambda data: gzipped(data)[:-8] + bytes(8), "damaged"),
        ("noise behind gzip", lambda data: gzipped(data) + b"noise" * 9, ""),
        ("noise behind zstd", lambda data: zstd(data) + b"noise", ""),
        ("a second member that is cut off", lambda data: gzipped(data) + gzipped(data)[:50], ""),
        ("xz", lambda data: b"\xfd7zXZ\0" + data, ""),
        ("bzip2", lambda data: b"BZh9" + data, ""),
        ("lz4", lambda data: b"\x04\x22\x4d\x18" + data, ""),
        ("a window of 2 TiB", lambda data: zstd(data, window=41), "zstd"),
        ("of 256 MiB", lambda data: zstd(data, window=28), "zstd"),
        ("noise", lambda data: os.urandom(1000), ""),
    ]
    for number, (name, encode, part) in enumerate(rows):
        refused(f"{folder}/{number}", Image(tar, encode=encode), "layer", "layer 1 of 1: ", part,
                ways=ALL if number == 0 else ("file",))


# Bombs. What stops them are the limits of a tar and of all files (1 TiB each), of entries and of
# the memory for names (flatten/flatten.h). Zeros become holes and cost time alone: a minute or
# two for each hundred gigabytes.


def little_is_taken(place, folder):
    if not is_sanitized():
        check(place.peak < 128, f"it had {place.peak} MiB of memory")
    size = sum(os.lstat(os.path.join(path, name)).st_blocks for path, _, files in os.walk(folder) for name in files) * 512
    check(size < 16 * MIB, f"{size} bytes are on the disk")


def zeros_become_holes(folder, image, size, seconds):
    """A file of SIZE zeros, which a few kilobytes stand for, is what the image says: it is taken."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (256 * MIB, 256 * MIB))
    with Server(image.routes()) as server:
        os.mkdir(folder)
        place = Place(folder, server)
        place.run("pull", "{}", "new", seconds=seconds, preexec_fn=limit).succeeds()
        little_is_taken(place, folder)
        check(os.path.getsize(folder + "/new") < size / 1000, os.path.getsize(folder + "/new"))


def zero_image(gigabytes, gzip):
    """Of a file of zeros, which nobody has to have in memory to make."""
    size, mebibyte = gigabytes << 30, bytes(MIB)
    begin, total = header("zeros", size), hashlib.sha256()
    total.update(begin)
    for _ in range(size // MIB):
        total.update(mebibyte)
    total.update(END)
    if gzip:
        layer = gzipped(begin) + gzipped(mebibyte) * (size // MIB) + gzipped(END)
    else:
        layer = zstd(begin, size >> 17) + zstd(END)
    return Image(layer, encode=bytes, diff_ids=["sha256:" + total.hexdigest()])


@test
def a_gigabyte_of_zeros(folder):
    for gzip in False, True:
        zeros_become_holes(f"{folder}/{gzip}", zero_image(1, gzip), 1 << 30, 60)


@takes_minutes
def names_behind_long_ways(folder):
    """Forty links of four thousand bytes for each entry, which is itself as good as nothing."""
    entries = directory("d")
    for number in range(39):
        target = "d/../" * 800 + (f"l{number + 1}" if number < 38 else "d")
        entries += long_name(target, "K") + link(f"l{number}", "x")
    refused(folder + "/many", Image(entries + header("l0/x") * 100000 + END), "layer", "so long symbolic links", seconds=300)


@takes_minutes
def a_hundred_gigabytes_of_zeros(folder):
    """Some hundred MB of gzip, three of zstd: as long as hashing and comparing them takes, no more memory."""
    for gzip in False, True:
        zeros_become_holes(f"{folder}/{gzip}", zero_image(100, gzip), 100 << 30, 1500)


@test
def a_hole_of_a_gigabyte(folder):
    zeros_become_holes(folder + "/hole", Image(header("hole", 0, kind="S", sparse=1 << 30) + END), 1 << 30, 30)


@test
def a_hundred_thousand_entries(folder):
    """A megabyte of gzip has a million of them."""
    for number, entries in enumerate((header("x") * 100000, b"".join(header(f"{i}") for i in range(20000)))):
        with Server(Image(entries + END).routes()) as server:
            os.mkdir(f"{folder}/{number}")
            place = Place(f"{folder}/{number}", server)
            place.takes("new file")
            little_is_taken(place, place.path)


@test
def zeros_behind_the_end(folder):
    """They belong to the tar, are hashed, and become nothing."""
    tar = member("x", b"1") + END
    image = Image(tar + bytes(1 << 26), encode=lambda _: zstd(tar, (1 << 26) >> 17))
    zeros_become_holes(folder + "/right", image, 1 << 26, 30)
    image = Image(tar, encode=lambda _: zstd(tar, (1 << 29) >> 17))
    refused(folder + "/wrong", image, "digest", "layer 1 of 1")
