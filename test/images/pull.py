"""What means harm, by the command lines that take it: pull, run, convert. Run by pull.sh."""
import base64
import json
import os
import shutil
import subprocess
import sys
import time

import made
from hostile import Server, digest, error
from made import INDEX, Image, directory, member
from tap import CLIENT, Failure, Result, check, equal, main, start, test

SLOWNESS = int(os.environ.get("CORACLE_TEST_SLOWNESS", "1"))
LONG = bool(os.environ.get("CORACLE_TEST_LONG"))
PRECIOUS = "what was there before\n"
WAYS = {
    "file": ("pull", "--force", "{}", "out"),
    "new file": ("pull", "{}", "new"),
    "directory": ("pull", "{}", "dir:tree"),
    "cache": ("pull", "{}"),
    "run": ("run", "{}", "--", "/bin/true"),
    "convert": ("convert", "docker://{}", "oci:layout"),
}
ALL = tuple(WAYS)
BASIC = "Basic " + base64.b64encode(b"me:SECRET").decode()
NOISE = os.urandom(3 << 20)
GOOD = directory("etc") + member("etc/passwd", b"root:x:0:0::/root:/bin/sh\n") + made.END


def large():
    return Image(directory("etc") + member("etc/noise", NOISE) + made.END, encode=bytes)


def processes(session):
    """Those that a command has left, by their session, but the dead."""
    left = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            left.append(name)
    return left


def is_sanitized():
    """Memory is then the sanitizers'."""
    with open(os.path.dirname(CLIENT) + "/coracle-image", "rb") as file:
        return b"__asan_init" in file.read()


class Place:
    """A folder with an output that is there already, a cache, and the user's configuration."""

    def __init__(self, path, server, name="a:1"):
        self.path, self.name, self.peak = path, server.name + "/" + name, 0
        self.environment = {"CORACLE_CACHE": path + "/cache", "CORACLE_CONFIG": path + "/coracle.toml",
                            "CORACLE_SITE_CONFIG": "", "REGISTRY_AUTH_FILE": path + "/auth.json", "HOME": path}
        with open(path + "/coracle.toml", "w") as file:
            file.write(f'[registry."{server.name}"]\nplain-http = true\n')
        os.chmod(path + "/coracle.toml", 0o600)
        with open(path + "/out", "w") as file:
            file.write(PRECIOUS)
        with open(path + "/auth.json", "w") as file:
            json.dump({"auths": {}}, file)

    def run(self, *arguments, seconds=60, **more):
        """The result, after all processes have ended. Notes the most memory that the command had, in MiB."""
        process = start(*(text.format(self.name) for text in arguments), environment=self.environment, cwd=self.path,
                        stdin=subprocess.DEVNULL, start_new_session=True, **more)
        until = time.monotonic() + seconds * SLOWNESS
        self.peak = 0
        while process.poll() is None and time.monotonic() < until:
            self.note_peak(process.pid)
            time.sleep(0.01)
        if process.poll() is None:
            process.kill()
            raise Failure(f"{arguments} did not end within {seconds * SLOWNESS} seconds", process.communicate()[1])
        out, err = process.communicate(timeout=60)
        equal(processes(process.pid), [])
        return Result(process.returncode, out, err.decode(errors="replace"))

    def note_peak(self, pid):
        try:
            with open(f"/proc/{pid}/status") as file:
                sizes = [line.split()[1] for line in file if line.startswith("VmHWM:")]
        except OSError:
            return
        self.peak = max([self.peak] + [int(size) >> 10 for size in sizes])

    def nothing_has_changed(self):
        with open(self.path + "/out") as file:
            equal(file.read(), PRECIOUS)
        left = set(os.listdir(self.path)) - {"out", "coracle.toml", "auth.json", "cache"}
        check(left <= {f".{name}.download" for name in ("out", "new", "tree", "layout")}, f"left: {left}")
        for kind in "images", "names":
            for path, _, files in os.walk(f"{self.path}/cache/{kind}"):
                check(not files, f"left in the cache: {path}: {files}")

    def refuses(self, identifier, *parts, ways=("file",), seconds=30):
        """
        With one error that names the image, or the registry where it is all of it that lets
        nobody in; nothing is made and nothing lost.
        """
        for way in ways:
            result = self.run(*WAYS[way], seconds=seconds)
            result.fails(identifier, *parts)
            check(all(line.isprintable() for line in result.err.split("\n")), "it is for a terminal to obey:", repr(result.err))
            check(self.names_the_image(result.err), f"the image {self.name} is not named:", result.err)
            self.nothing_has_changed()

    def names_the_image(self, text):
        domain = f"registry {self.name.split('/')[0]}: "
        return self.name in text or (domain in text and ("image a" in text or domain + "it lets nobody in" in text))

    def takes(self, way="directory"):
        return self.run(*WAYS[way]).succeeds()


SERVER = Server([])  # for what needs none of its own: to begin and end one takes longer than most pulls


def refused(path, image, identifier, *parts, **more):
    SERVER.http.routes = image.routes()
    os.mkdir(path)
    Place(path, SERVER).refuses(identifier, *parts, **more)


# Documents


@test
def a_good_image_comes_by_each_way(folder):
    """So that what is refused below is refused for what is wrong with it."""
    with Server(large().routes()) as server:
        place = Place(folder, server)
        for way in ("file", "new file", "directory", "cache", "convert"):
            place.takes(way)
        with open(folder + "/tree/etc/noise", "rb") as file:
            check(file.read() == NOISE, "the file holds something else")
        with open(folder + "/out", "rb") as file:
            equal(file.read(4), b"hsqs")



@test
def digests_that_are_paths(folder):
    for number, bad in enumerate(("sha256:../../x", "sha256:" + "/" * 64, "../x", "sha256:" + "A" * 64, "md5:" + "0" * 32, "")):
        for what in "config", "layers":
            def change(manifest):
                (manifest[what][0] if what == "layers" else manifest[what])["digest"] = bad
            refused(f"{folder}/{what}{number}", Image(GOOD, manifest=change), "image-manifest", what, "digest is ",
                    ways=ALL if bad == "sha256:../../x" else ("file",))
        refused(f"{folder}/id{number}", Image(GOOD, diff_ids=[bad]), "image-config", "rootfs.diff_ids[0]",
                ways=ALL if bad == "sha256:../../x" else ("file",))
    index = Image(GOOD)
    index.document = json.dumps({"schemaVersion": 2, "manifests": [
        {"mediaType": made.MANIFEST, "digest": "sha256:../../../../x", "size": 1}]}).encode()
    index.media_type = INDEX
    refused(folder + "/index", index, "image-manifest", "digest is ")


@test
def other_bytes_than_the_digest_says(folder):
    """Of the manifest, the configuration, a layer, what is in the layer."""
    image = Image(GOOD)
    with Server(image.routes()) as server:
        os.mkdir(folder + "/manifest")
        place = Place(folder + "/manifest", server, f"a@{digest(b'x')}")
        place.refuses("image-damaged", digest(b"x"), ways=ALL)
    for number, (name, bytes_of) in enumerate(list(image.blobs.items())):
        image = Image(GOOD)
        image.blobs[name] = bytes_of[:-1] + bytes([bytes_of[-1] ^ 1])
        refused(f"{folder}/{number}", image, "image-damaged", name, ways=ALL)
    refused(folder + "/id", Image(GOOD, diff_ids=[digest(b"x")]), "digest", "layer 1 of 1", digest(b"x"), ways=ALL)


@test
def other_sizes_than_the_manifest_says(folder):
    for number, size in enumerate((0, 1, 1 << 40, (1 << 63) - 1)):
        for what in "config", "layers":
            def change(manifest):
                (manifest[what][0] if what == "layers" else manifest[what])["size"] = size
            refused(f"{folder}/{what}{number}", Image(GOOD, manifest=change), "image-damaged", f"the manifest says {size}")
    for number, size in enumerate((-1, 1 << 63, 1 << 64, 1.5, "1", None)):
        def change_it(manifest):
            manifest["layers"][0]["size"] = size
        refused(f"{folder}/no{number}", Image(GOOD, manifest=change_it), "image-manifest", "layers[0].size")


@test
def documents_that_are_not_what_they_say(folder):
    def with_manifests(manifest):
        manifest["manifests"] = []

    def without_type(manifest):
        del manifest["mediaType"]
        manifest["manifests"] = []

    def config_of(kind):
        return lambda manifest: manifest["config"].update(mediaType=kind)

    def layer_of(kind):
        return lambda manifest: manifest["layers"][0].update(mediaType=kind)
    cases = [
        (with_manifests, "image-manifest", "readers would differ"),
        (without_type, "image-manifest", "readers would differ"),
        (lambda _: b"", "image-manifest", ""),
        (lambda _: b"{", "image-manifest", ""),
        (lambda _: b"[]", "image-manifest", "must be an object"),
        (lambda _: b"\xff\xfe\0", "image-manifest", ""),
        (lambda _: b"[" * 100000, "image-manifest", ""),
        (lambda _: b"{" + b'"a":{' * 100000, "image-manifest", ""),
        (lambda _: b" " * (5 << 20), "image-damaged", "more than 4 MiB"),
        (lambda m: m.update(mediaType="text/html"), "image-manifest", "text/html"),
        (lambda m: m.update(schemaVersion=1), "image-manifest", "schema 1"),
        (lambda m: m.update(layers=m["layers"] * 5000), "image-manifest", "more than 16384 values"),
        (config_of("application/vnd.cncf.helm.config.v1+json"), "image-manifest", "not a container image"),
        (layer_of("application/x-evil"), "image-manifest", "not supported"),
        (layer_of(made.LAYER + "+encrypted"), "image-manifest", "encrypted"),
    ]
    for number, (change, identifier, part) in enumerate(cases):
        image = Image(GOOD, manifest=change)
        refused(f"{folder}/{number}", image, identifier, part, ways=ALL if number == 0 else ("file",))
    image = Image(GOOD)
    image.media_type = INDEX
    refused(folder + "/type", image, "image-manifest", "it came as")


@test
def an_index_in_itself(folder):
    """A digest cannot be in what it is of; a tag that leads to others without end can."""
    image = Image(GOOD)
    document = image.document
    for _ in range(20):
        described = image.put(document, INDEX if document != image.document else made.MANIFEST)
        document = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}).encode()
    image.document, image.media_type = document, INDEX
    refused(folder + "/deep", image, "image-manifest", "nested", ways=ALL)
    itself = Image(GOOD)
    itself.document = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": INDEX, "digest": digest(b"itself"), "size": 1}]}).encode()
    itself.media_type = INDEX
    itself.blobs[digest(b"itself")] = itself.document
    refused(folder + "/itself", itself, "image-damaged", digest(b"itself"))
    other = Image(GOOD)
    other.document = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": made.MANIFEST, "digest": digest(b"x"), "size": 1,
         "platform": {"os": "plan9", "architecture": "mips"}}]}).encode()
    other.media_type = INDEX
    refused(folder + "/other", other, "image-platform", "plan9/mips")


@test
def configurations_that_are_none(folder):
    def ids(count):
        return lambda config: config["rootfs"].update(diff_ids=config["rootfs"]["diff_ids"] * count)
    cases = [
        (lambda _: b"", ""),
        (lambda _: b"no JSON", ""),
        (lambda _: b"[]", "must be an object"),
        (lambda _: b"{" + b'"a":{' * 100000, ""),
        (lambda config: config.pop("rootfs") and None, "rootfs"),
        (lambda config: config["rootfs"].update(type="zip"), "must be layers"),
        (ids(0), "the manifest has 1 layers, the configuration 0"),
        (ids(2), "the manifest has 1 layers, the configuration 2"),
        (ids(5000), "limit"),
    ]
    for number, (change, part) in enumerate(cases):
        refused(f"{folder}/{number}", Image(GOOD, config=change), "image-config", part,
                ways=ALL if number == 1 else ("file",))


# Servers


def answering(status, headers=(), body=b""):
    return lambda handler: handler.answer(status, body, headers)


@test
def what_servers_refuse(folder):
    """For the manifest, and for a blob when the manifest was there."""
    again = [("Retry-After", "0")]
    cases = [
        (answering(401), "registry-denied", "does not say how to authenticate", 1),
        (answering(401, [("WWW-Authenticate", "Basic realm=x")]), "registry-denied", "401", 1),
        (answering(403, body=error("DENIED", "not\x1b[31m you")), "registry-denied", "(403); ", 1),
        (answering(404), "image-missing", "there is none", 1),
        (answering(429, [("Retry-After", "86400")]), "registry", "it asks to be left alone for 86400 seconds", 1),
        (answering(500, again), "registry", "after 6 attempts: ", 6),
        (answering(503, again), "registry", "after 6 attempts: ", 6),
        (answering(302, [("Location", "file:///etc/passwd")]), "registry", "neither http", 1),
        (answering(302, [("Location", "http://me:x@127.0.0.1/")]), "registry", "user or password", 1),
        (answering(302), "registry", "does not say where", 1),
        (lambda handler: handler.answer(302, headers=[("Location", handler.path)]), "registry", "status 302", 11),
    ]
    for number, (action, identifier, part, count) in enumerate(cases):
        for what, pattern in ("manifest", "/v2/a/manifests/.*"), ("blob", "/v2/a/blobs/.*"):
            # Of one blob: of several it is chance how many are still asked for when one has failed.
            with Server([(pattern, action)] + Image().routes()) as server:
                os.mkdir(f"{folder}/{what}{number}")
                place = Place(f"{folder}/{what}{number}", server)
                place.refuses(identifier, part, ways=ALL if identifier == "image-missing" else ("file",))
                if identifier != "image-missing":
                    equal(len(server.to(pattern)), count)


@test
def a_folder_that_another_pull_takes_away_is_told(folder):
    """What is being fetched into it lives on; what comes later has no place."""
    image = Image(*(GOOD + made.END * i for i in range(40)))
    config = json.loads(image.document)["config"]["digest"]
    taken = []

    def take_away(handler):
        path = folder + "/it/.new.download"
        if config not in handler.path and not taken:
            taken.append(path)
            while os.path.exists(path): # others are being begun in it
                shutil.rmtree(path, ignore_errors=True)
        image.answer_blob(handler)
    os.mkdir(folder + "/it")
    with Server(image.routes(take_away)) as server:
        place = Place(folder + "/it", server)
        place.refuses("output", "another pull to the same place", ".new.download", ways=("new file",))
        equal(len(taken), 1)


@test
def a_foreign_layer_that_is_not_there_is_explained(folder):
    def foreign(manifest):
        manifest["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    image = Image(GOOD, manifest=foreign)
    del image.blobs[json.loads(image.document)["layers"][0]["digest"]]
    refused(folder + "/it", image, "image-missing", "foreign layer, which may not be distributed: ", "(404)")


@test
def another_host_gets_no_credentials(folder):
    image = Image(GOOD)

    def guarded(action):
        def answer(handler):
            if handler.headers["Authorization"] == BASIC:
                action(handler)
            else:
                handler.answer(401, headers=[("WWW-Authenticate", 'Basic realm="x"')])
        return answer
    for status in 200, 401, 403:
        os.mkdir(f"{folder}/{status}")
        action = image.answer_blob if status == 200 else answering(
            status, [("WWW-Authenticate", "Basic realm=x"), ("Retry-After", "0")])
        with Server([("/v2/a/blobs/.*", action)]) as storage:
            away = guarded(lambda h: h.answer(307, headers=[("Location", storage.origin + h.path + "?signature=SECRET")]))
            with Server([("/v2/a/manifests/.*", guarded(image.answer_manifest)), ("/v2/a/blobs/.*", away)]) as server:
                place = Place(f"{folder}/{status}", server)
                with open(place.path + "/auth.json", "w") as file:
                    json.dump({"auths": {server.name: {"auth": BASIC.split()[1]}}}, file)
                if status == 200:
                    place.takes("new file")
                else:
                    place.refuses("registry", storage.name, f"status {status}")
                check(storage.requests and server.requests)
                equal({request.headers["Authorization"] for request in storage.requests}, {None})
                equal({request.headers["Cookie"] for request in storage.requests}, {None})


@test
def a_server_that_cuts_each_connection(folder):
    """Each brings a bit more than a megabyte: the download goes on where it was."""
    image = large()

    def cut(handler):
        data = image.blobs[handler.path.split("/")[-1]]
        at = handler.range_start()
        handler.answer(206 if at else 200, data[at:at + 1300000],
                       [("Content-Range", f"bytes {at}-{len(data) - 1}/{len(data)}")] if at else [], len(data) - at)
    with Server(image.routes(cut)) as server:
        place = Place(folder, server)
        place.takes("directory")
        with open(folder + "/tree/etc/noise", "rb") as file:
            check(file.read() == NOISE, "the file holds something else")
        starts = [request.range_start() for request in server.to("/blobs/") if request.range_start()]
        check(len(starts) >= 2 and starts == sorted(set(starts)), starts)


@test
def a_server_that_sends_slowly(folder):
    image = Image(GOOD + bytes(200000), encode=bytes)

    def slow(handler):
        data = image.blobs[handler.path.split("/")[-1]]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        for at in range(0, len(data), 20000):
            handler.wfile.write(data[at:at + 20000])
            time.sleep(0.1)
    with Server(image.routes(slow)) as server:
        Place(folder, server).takes("new file")


@test
def servers_that_lie_about_lengths(folder):
    image = Image(GOOD)

    def more(handler):
        data = image.blobs[handler.path.split("/")[-1]]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad")
    with Server(image.routes(more)) as server:
        os.mkdir(folder + "/more")
        Place(folder + "/more", server).takes("new file")
    cases = [(lambda handler: handler.endless(), "sends more than"), (answering(200, body=b"x" * 50000), "has 50000 bytes"),
             (answering(200), "has 0 bytes"), (answering(204), "status 204"),
             (lambda handler: handler.answer(200, b"x", length=1 << 60), f"has {1 << 60} bytes")]
    for number, (action, part) in enumerate(cases):
        with Server(image.routes(action)) as server:
            os.mkdir(f"{folder}/{number}")
            Place(f"{folder}/{number}", server).refuses("registry" if part == "status 204" else "image-damaged", part)
    for number, action in enumerate((lambda handler: handler.endless([("Content-Type", made.MANIFEST)]),
                                     answering(200, [("X", "x" * 60000), ("Y", "x" * 60000)]))):
        with Server([("/v2/a/.*", action)]) as server:
            os.mkdir(f"{folder}/manifest{number}")
            Place(f"{folder}/manifest{number}", server).refuses(
                "image-damaged" if number == 0 else "registry", "4 MiB" if number == 0 else "header")


def takes_minutes(function):
    return test(function) if LONG else function


@takes_minutes
def servers_that_never_come_to_an_end(folder):
    """One does not answer, one stops in the middle, one sends less than it says: half a minute each time."""
    def silent(handler):
        time.sleep(400)

    def stopping(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(image.blobs[handler.path.split("/")[-1]])))
        handler.end_headers()
        handler.wfile.write(b"x")
        time.sleep(400)
    def less(handler):
        handler.answer(200, b"x", length=len(image.blobs[handler.path.split("/")[-1]]))
    image = Image(GOOD)
    for name, routes in ("silent", [("/.*", silent)]), ("stopping", image.routes(stopping)), ("less", image.routes(less)):
        with Server(routes) as server:
            os.mkdir(f"{folder}/{name}")
            Place(f"{folder}/{name}", server).refuses("registry", f"after {6 if name == 'less' else 3} attempts", seconds=200)



if __name__ == "__main__":
    sys.modules["pull"] = sys.modules[__name__]
    import pull_layers  # noqa: E401,F401  more tests
    main()
