"""An OCI layout of five layers and more than 30,000 files, for the bench of images.

layered.py IMAGE WORK: WORK/layout has image 1, of the directory IMAGE and of what is made
of its smaller files. The same IMAGE gives the same layers.
layered.py small WORK: WORK/small-50000 and WORK/small-200000 have image 1 of so many files,
each of a block of 4 KiB.
"""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

SECOND = ["usr/lib/python3", "usr/lib/python3.11", "usr/include", "usr/share"]
SMALL = 64 * 1024
TAR = ["tar", "--sort=name", "--mtime=@1700000000", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]
PLATFORM = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def small_files(image):
    for directory, directories, files in os.walk(image + "/usr"):
        directories.sort()
        for name in sorted(files):
            path = os.path.join(directory, name)
            if not os.path.islink(path) and 0 < os.path.getsize(path) < SMALL:
                yield path


def make_environment(image, tree, name):
    """As an environment of conda: other files of the same kind, none of which is equal to another."""
    for path in small_files(image):
        to = f"{tree}/opt/{name}/" + os.path.relpath(path, image + "/usr")
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(path, "rb") as source, open(to, "wb") as target:
            target.write(f"{name} {len(to)}\n".encode() + source.read())


def make_top(image, tree):
    """What most last layers do: some files once more, and some are hidden."""
    for number, path in enumerate(small_files(image)):
        to = tree + path[len(image):]
        os.makedirs(os.path.dirname(to), exist_ok=True)
        if number % 10 == 0:
            with open(path, "rb") as source, open(to, "wb") as target:
                target.write(b"top\n" + source.read())
        elif number % 10 == 1:
            open(os.path.join(os.path.dirname(to), ".wh." + os.path.basename(to)), "wb").close()


def archive(folder, members, target):
    """Starts what writes TARGET: members of FOLDER, compressed as most tools do it."""
    with open(target, "wb") as out:
        tar = subprocess.Popen([*TAR, "-C", folder, "-cf", "-", *members], stdout=subprocess.PIPE)
        return tar, subprocess.Popen(["gzip", "-n", "-6"], stdin=tar.stdout, stdout=out)


def finish(started):
    for tar, gzip in started:
        if gzip.wait() or tar.wait():
            raise SystemExit("layered.py: tar or gzip failed")


def many_small(target, count):
    with open(target, "wb") as out, subprocess.Popen(["gzip", "-n", "-1"], stdin=subprocess.PIPE, stdout=out) as gzip:
        with tarfile.open(fileobj=gzip.stdin, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
            member = tarfile.TarInfo()
            member.size, member.mtime, member.mode = 4096, 1700000000, 0o644
            for number in range(count):
                member.name = f"files/{number // 1000:03d}/{number:06d}"
                tar.addfile(member, io.BytesIO(f"{number:07d} ".encode() * 512))


def put(layout, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{layout}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


def diff_id(path):
    digest = hashlib.sha256()
    with subprocess.Popen(["gzip", "-dc", path], stdout=subprocess.PIPE) as gzip:
        while part := gzip.stdout.read(1 << 20):
            digest.update(part)
    return "sha256:" + digest.hexdigest()


def make_layout(layout, layers):
    os.makedirs(layout + "/blobs/sha256")
    descriptors = []
    for path in layers:
        with open(path, "rb") as file:
            descriptors.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(layout, file.read())})
    config = {"architecture": PLATFORM, "os": "linux", "config": {"Cmd": ["/bin/sh"]},
              "rootfs": {"type": "layers", "diff_ids": [diff_id(path) for path in layers]},
              "history": [{"created_by": os.path.basename(path)} for path in layers]}
    manifest = {
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(layout, json.dumps(config).encode())},
        "layers": descriptors}
    entry = {"mediaType": manifest["mediaType"], **put(layout, json.dumps(manifest).encode()),
             "annotations": {"org.opencontainers.image.ref.name": "1"}}
    with open(layout + "/index.json", "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
    with open(layout + "/oci-layout", "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')


def make_image(image, work):
    layers = [f"{work}/layer-{number}.tar.gz" for number in range(5)]
    second = [name for name in SECOND if os.path.isdir(f"{image}/{name}")]
    first = [name for name in ("usr", "bin", "lib", "lib64", "sbin") if os.path.lexists(f"{image}/{name}")]
    started = [archive(image, ["--anchored", *(f"--exclude={name}" for name in second), *first], layers[0]),
               archive(image, second, layers[1])]
    for number, name in ((2, "environment"), (3, "tools")):
        make_environment(image, f"{work}/tree-{number}", name)
        started.append(archive(f"{work}/tree-{number}", ["opt"], layers[number]))
    make_top(image, f"{work}/tree-4")
    started.append(archive(f"{work}/tree-4", ["usr"], layers[4]))
    finish(started)
    make_layout(f"{work}/layout", layers)


def make_small(work):
    for count in (50000, 200000):
        many_small(f"{work}/small-{count}.tar.gz", count)
        make_layout(f"{work}/small-{count}", [f"{work}/small-{count}.tar.gz"])


if sys.argv[1] == "small":
    make_small(sys.argv[2])
else:
    make_image(os.path.abspath(sys.argv[1]), sys.argv[2])
