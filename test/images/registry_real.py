"""Debian's docker-registry on the loopback, filled by skopeo. Run by registry-real.sh."""
import atexit
import ctypes
import gzip
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from hostile import OCI_MANIFEST, certificates, digest
from tap import check, client, equal, main, test

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
FOLDER = tempfile.TemporaryDirectory(prefix="coracle-test-")
ROOT = FOLDER.name
CA = f"ca={ROOT}/ca.pem"
USER = {"CLIENT_USER": "me", "CLIENT_PASSWORD": "SECRET"}
LAYERS = [gzip.compress(os.urandom(size), 1) for size in (100, 3 << 20, 700000, 50000)]
BLOBS = {}  # digest -> bytes of all that is in the layout


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def descriptor(kind, data):
    write(f"{ROOT}/layout/blobs/{digest(data).replace(':', '/')}", data)
    BLOBS[digest(data)] = data
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def make_layout():
    """An OCI layout with an image."""
    configuration = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
        "type": "layers", "diff_ids": [digest(gzip.decompress(layer)) for layer in LAYERS]}}
    manifest = {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": descriptor("application/vnd.oci.image.config.v1+json", json.dumps(configuration).encode()),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer) for layer in LAYERS]}
    image = descriptor(OCI_MANIFEST, json.dumps(manifest).encode())
    write(f"{ROOT}/layout/index.json", json.dumps({"schemaVersion": 2, "manifests": [image]}).encode())
    write(f"{ROOT}/layout/oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    return image["digest"]


def skopeo(*arguments):
    result = subprocess.run(["skopeo", *arguments], capture_output=True, text=True, env={**os.environ, "HOME": ROOT})
    check(result.returncode == 0, result.stderr)


def start_registry():
    """NAME of a registry that waits; it ends with us."""
    certificates(ROOT)
    os.makedirs(f"{ROOT}/certs")
    os.link(f"{ROOT}/ca.pem", f"{ROOT}/certs/ca.crt")  # where skopeo looks
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{free.getsockname()[1]}"
    passwords = subprocess.run(["htpasswd", "-Bbn", "me", "SECRET"], capture_output=True, check=True).stdout
    write(f"{ROOT}/htpasswd", passwords)
    write(f"{ROOT}/config.yml", f"""\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {ROOT}/registry}}}}
http: {{addr: "{name}", tls: {{certificate: {ROOT}/good.pem, key: {ROOT}/good.key}}}}
auth: {{htpasswd: {{realm: test, path: {ROOT}/htpasswd}}}}
""".encode())
    with open(f"{ROOT}/log", "wb") as log:
        # PR_SET_PDEATHSIG: it ends with us even where we are killed.
        process = subprocess.Popen(["docker-registry", "serve", f"{ROOT}/config.yml"], stdout=log, stderr=log,
                                   preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
    atexit.register(process.wait)
    atexit.register(process.kill)
    for _ in range(100):
        try:
            socket.create_connection(name.split(":"), 1).close()
            return name
        except OSError:
            time.sleep(0.1)
    raise SystemExit("Bail out! docker-registry does not start: " + open(f"{ROOT}/log").read())


def pull(what, folder, environment=None, *options):
    """As `coracle pull` would: the manifest, then all blobs. (type, names of the files)"""
    result = client(CA, *options, "manifest", f"{NAME}/{what}", environment=environment).succeeds()
    manifest = json.loads(result.out)
    kind = next(line[5:] for line in result.err.splitlines() if line.startswith("type "))
    if kind == OCI_INDEX:
        return kind, manifest
    arguments = [text for d in [manifest["config"], *manifest["layers"]] for text in (d["digest"], str(d["size"]))]
    client(CA, *options, "blobs", f"{NAME}/{what}", folder, *arguments, environment=environment).succeeds()
    return kind, manifest


def same_files(folder, manifest):
    for part in [manifest["config"], *manifest["layers"]]:
        with open(f"{folder}/{part['digest'].replace(':', '-')}", "rb") as file:
            check(digest(file.read()) == part["digest"], part)
    equal(len(os.listdir(folder)), 1 + len(manifest["layers"]))


NAME = start_registry()
IMAGE = make_layout()
for options in (["docker://" + NAME + "/group/app:1"], ["--format=v2s2", "docker://" + NAME + "/docker:1"]):
    skopeo("copy", "--dest-cert-dir", f"{ROOT}/certs", "--dest-creds", "me:SECRET", *options[:-1], f"oci:{ROOT}/layout", options[-1])


@test
def an_image_of_oci(folder):
    kind, manifest = pull("group/app:1", folder, USER)
    equal(kind, OCI_MANIFEST)
    same_files(folder, manifest)
    for layer in LAYERS:
        check(os.path.exists(f"{folder}/{digest(layer).replace(':', '-')}"), "a layer is missing")


@test
def an_image_of_docker_schema_2(folder):
    kind, manifest = pull("docker:1", folder, USER)
    equal(kind, DOCKER_MANIFEST)
    same_files(folder, manifest)


@test
def an_image_by_its_digest(folder):
    _, manifest = pull(f"group/app@{IMAGE}", folder, USER)
    same_files(folder, manifest)


@test
def a_mirror_of_a_registry_that_is_not_there(folder):
    mine = {"MIRROR0_USER": "me", "MIRROR0_PASSWORD": "SECRET"}
    mirror = f"mirror={NAME}/group"
    result = client(CA, mirror, "manifest", "registry.invalid/app:1", environment=mine).succeeds()
    manifest = json.loads(result.out)
    arguments = [text for d in [manifest["config"], *manifest["layers"]] for text in (d["digest"], str(d["size"]))]
    client(CA, mirror, "blobs", "registry.invalid/app", folder, *arguments, environment=mine).succeeds()
    same_files(folder, manifest)
    client(CA, mirror, "manifest", "registry.invalid/app:1").fails("registry", "registry registry.invalid: ")


@test
def a_part_is_continued(folder):
    layer = LAYERS[1]
    part = f"{folder}/{digest(layer).replace(':', '-')}.partial"
    write(part, layer[:1000000])
    result = client(CA, "blobs", f"{NAME}/group/app", folder, digest(layer), str(len(layer)), environment=USER).succeeds()
    equal(os.listdir(folder), [os.path.basename(part)[:-len(".partial")]])
    first = next(int(line.split()[2]) for line in result.err.splitlines() if line.startswith("progress 0 "))
    check(first >= 1000000, f"it began with {first} bytes: anew")


@test
def credentials_that_skopeo_has_stored(folder):
    file = f"{folder}/skopeo.json"
    skopeo("login", "--cert-dir", f"{ROOT}/certs", "--authfile", file, "-u", "me", "-p", "SECRET", NAME)
    os.mkdir(f"{folder}/blobs")
    _, manifest = pull("group/app:1", f"{folder}/blobs", None, f"auth-file={file}")
    same_files(f"{folder}/blobs", manifest)


@test
def credentials_that_skopeo_reads(folder):
    file = f"{folder}/ours.json"
    client(f"auth-file={file}", "store", NAME + "/x", environment=USER).succeeds()
    skopeo("inspect", "--cert-dir", f"{ROOT}/certs", "--authfile", file, f"docker://{NAME}/group/app:1")
    client(f"auth-file={file}", "erase", NAME + "/x").succeeds()
    client(CA, f"auth-file={file}", "check", NAME + "/x").fails("registry-denied", "and there are none for")


@test
def credentials_that_coracle_login_keeps(folder):
    if not os.access("bin/coracle-image", os.X_OK):
        return  # not built: login.sh says so
    file = f"{folder}/ours.json"
    login = ["bin/coracle-image", "login", "-u", "me", "--password-stdin", "--ca-file", f"{ROOT}/ca.pem", "--authfile", file, NAME]
    result = subprocess.run(login, input=b"wrong\n", capture_output=True)
    check(result.returncode == 125 and b"[registry-denied]" in result.stderr and not os.path.exists(file), result)
    result = subprocess.run(login, input=b"SECRET\n", capture_output=True)
    check(result.returncode == 0 and b"login succeeded" in result.stdout and not result.stderr, result)
    skopeo("inspect", "--cert-dir", f"{ROOT}/certs", "--authfile", file, f"docker://{NAME}/group/app:1")
    skopeo("logout", "--authfile", file, NAME)
    client(CA, f"auth-file={file}", "check", NAME + "/x").fails("registry-denied", "and there are none for")


@test
def what_is_refused_is_told(folder):
    client(CA, "check", NAME + "/x", environment=USER).succeeds()
    client(CA, "check", NAME + "/x").fails("registry-denied", "without credentials", "authentication required")
    client(CA, "check", NAME + "/x", environment={**USER, "CLIENT_USER": "you"}).fails("registry-denied", "user you")
    client(CA, "manifest", NAME + "/none:1", environment=USER).fails("image-missing", "image none:1", "manifest unknown")
    client(CA, "manifest", NAME + "/group/app:2", environment=USER).fails("image-missing", "manifest unknown")
    client(CA, "manifest", f"{NAME}/group/app@{digest(b'')}", environment=USER).fails("image-missing")
    client(CA, "blobs", NAME + "/group/app", folder, digest(b"x"), "1", environment=USER).fails("image-missing", digest(b"x"))
    client("plain-http=1", "attempts=1", "check", NAME + "/x", environment=USER).fails("registry", "status 400")
    equal(os.listdir(folder), [])


@test
def a_blob_that_is_damaged_in_the_registry(folder):
    layer = LAYERS[2]
    algorithm, hexadecimal = digest(layer).split(":")
    path = f"{ROOT}/registry/docker/registry/v2/blobs/{algorithm}/{hexadecimal[:2]}/{hexadecimal}/data"
    for data, part in ((layer[:-1] + b"?", "another digest"), (layer + b"?", f"has {len(layer) + 1} bytes")):
        write(path, data)
        client(CA, "blobs", f"{NAME}/group/app", folder, digest(layer), str(len(layer)), environment=USER).fails(
            "image-damaged", digest(layer), part)
        equal(os.listdir(folder), [])
    write(path, layer)


if __name__ == "__main__":
    main()
