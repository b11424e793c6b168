"""Images of random layers: what lib/flatten makes of them is what `umoci unpack` makes.

flatten_random.py FIRST LAST [FLATTEN_LAYERS]: one image for each number. Prints TAP.

As root owners are compared too; umoci --rootless leaves them out. umoci breaks off where
a file is in the place of a directory ("not a directory"), where a hard link replaces
what its target lies in, and where an opaque marker lies behind a loop of links of its own
layer; there lib/flatten has rules of its own (lib/flatten/flatten.h).
Where a layer has something in a directory before it removes that directory, umoci keeps
the lower directory's mode, which the specification does not: such layers are not made.
"""
import io
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

NAMES = ["a", "b", "c", "d"]
FILES = ["f", "g", "h"]
TARGETS = NAMES + ["../b", "/a", "b/c", "."]
KINDS = {"directory": 4, "file": 6, "link": 2, "hard link": 2, "whiteout": 3, "opaque": 1}
REFUSED = ["not a directory", ": link: no such file", ".wh..wh..opq: sanitise symlinks"]
ROOTLESS = [] if os.geteuid() == 0 else ["--rootless"]


def random_name(rng, kind):
    directory = [rng.choice(NAMES) for _ in range(rng.randint(0, 2))]
    plain = kind in ("file", "hard link") or (kind == "whiteout" and rng.random() < 0.5)
    name = rng.choice(FILES if plain else NAMES)
    if rng.random() < 0.05:
        name = rng.choice(["f", "a"])
    if kind == "opaque" and directory:
        return "/".join(directory)
    return "/".join(directory + [name])


def random_layer(rng):
    """Tuples: kind, path, target, number."""
    entries, files = [], []
    for _ in range(rng.randint(1, 7)):
        kind = rng.choices(list(KINDS), KINDS.values())[0]
        if kind == "hard link" and not files:
            kind = "file"
        path = random_name(rng, kind)
        target = rng.choice(files) if kind == "hard link" else rng.choice(TARGETS)
        entries.append((kind, path, target, rng.randint(0, 999)))
        if kind == "file":
            files.append(path)
    return sorted(entries, key=lambda entry: entry[0] != "whiteout")


def write_layer(entries, name, number):
    with tarfile.open(name, "w", format=tarfile.PAX_FORMAT) as tar:
        for kind, path, target, extra in entries:
            member = tarfile.TarInfo(path)
            member.uid, member.gid, member.mtime, member.mode = 100 + number, 200 + number, 1000 + extra, 0o640
            data = b""
            if kind == "directory":
                member.type, member.mode = tarfile.DIRTYPE, 0o750 + number
            elif kind == "file":
                data = f"layer {number}, {extra}".encode()
            elif kind == "link":
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, target, 0o777
            elif kind == "hard link":
                member.type, member.linkname = tarfile.LNKTYPE, target
            elif kind == "whiteout":
                member.name = os.path.join(os.path.dirname(path), ".wh." + os.path.basename(path))
            else:
                member.name = path + "/.wh..wh..opq"
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def describe(path):
    status = os.lstat(path)
    owner = (status.st_uid, status.st_gid) if not ROOTLESS else ()
    if stat.S_ISLNK(status.st_mode):
        return ("link", os.readlink(path)) + owner
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return ("directory", oct(mode)) + owner
    with open(path, encoding="utf-8") as file:
        return ("file", oct(mode), int(status.st_mtime), status.st_nlink, file.read()) + owner


def listing(root):
    found = {}
    for directory, directories, files in os.walk(root):
        if directory == root and ".coracle" in directories:
            directories.remove(".coracle")  # a directory's record of owners
        for name in directories + files:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, root)] = describe(path)
    return found


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def must(*command):
    result = run(*command)
    if result.returncode:
        print(f"Bail out! {' '.join(command)}: {result.stdout.strip()}")
        sys.exit(1)


def compare(number, program, scratch):
    """What differs, "" for nothing; None where umoci refuses what we accept."""
    rng = random.Random(number)
    image = scratch + "/layout:image"
    layers = []
    must("umoci", "init", "--layout", scratch + "/layout")
    must("umoci", "new", "--image", image)
    for i in range(rng.randint(1, 4)):
        layers.append(f"{scratch}/layer{i}.tar")
        write_layer(random_layer(rng), layers[i], i)
        must("umoci", "raw", "add-layer", "--image", image, layers[i])
    theirs = run("umoci", "raw", "unpack", *ROOTLESS, "--image", image, scratch + "/theirs")
    ours = run(program, scratch + "/ours.sqfs", *layers)
    folder = run(program, scratch + "/folder/", *layers)
    if ours.returncode != folder.returncode:
        return f"file: {ours.stdout}directory: {folder.stdout}"
    if ours.returncode:
        return "" if theirs.returncode else f"only we refuse it: {ours.stdout}"
    must("unsquashfs", "-q", "-n", "-d", scratch + "/ours", scratch + "/ours.sqfs")
    shown = listing(scratch + "/ours")
    if ROOTLESS and listing(scratch + "/folder") != shown:
        return f"directory: {listing(scratch + '/folder')}\nfile: {shown}"
    if theirs.returncode:
        return None if any(text in theirs.stdout for text in REFUSED) else theirs.stdout
    expected = listing(scratch + "/theirs")
    return "\n".join(
        f"{name}: {shown.get(name)} instead of {expected.get(name)}"
        for name in sorted(shown.keys() | expected.keys())
        if shown.get(name) != expected.get(name)
    )


def main():
    first, last = int(sys.argv[1]), int(sys.argv[2])
    program = sys.argv[3] if len(sys.argv) > 3 else "test/images/flatten-layers"
    compared, wrong = 0, []
    for number in range(first, last + 1):
        scratch = tempfile.mkdtemp(prefix="coracle-test-")
        try:
            difference = compare(number, program, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        compared += difference is not None
        if difference:
            wrong.append(f"image {number}: {difference}")
    what = "with owners" if not ROOTLESS else "without owners, which only root can compare"
    print(f"{'not ' if wrong else ''}ok 1 - random images are as umoci unpacks them, {what}")
    for text in wrong:
        print("# " + text.strip().replace("\n", "\n# "))
    enough = compared * 2 >= last - first + 1
    print(f"{'' if enough else 'not '}ok 2 - {compared} of {last - first + 1} could be compared")
    print("1..2")
    sys.exit(bool(wrong) or not enough)


main()
