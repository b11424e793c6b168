"""What a registry may do to us. Run by registry.sh."""
import base64
import json
import os
import resource
import signal
import socket
import threading
import time

from hostile import OCI_MANIFEST, Server, digest, error
from tap import check, client, equal, main, start, test

USER = {"CLIENT_USER": "me", "CLIENT_PASSWORD": "SECRET"}
BASIC = "Basic " + base64.b64encode(b"me:SECRET").decode()
FAST = ("plain-http=1", "back-off=10")
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST}).encode()
BLOB = os.urandom(3 << 20)
BLOB_ARGUMENTS = (digest(BLOB), str(len(BLOB)))
BLOB_FILE = digest(BLOB).replace(":", "-")
PATH = "/v2/a/blobs/.*"


def manifest(handler, body=MANIFEST, headers=()):
    handler.answer(200, body, [("Content-Type", OCI_MANIFEST), *headers])


def registry(blob=None, **more):
    """A registry of plain http with an image and a blob; BLOB answers in its place."""
    return Server([("/v2/a/manifests/.*", manifest), (PATH, blob or (lambda h: h.blob(BLOB)))], **more)


def fetch_blob(server, folder, *options, arguments=BLOB_ARGUMENTS, **more):
    return client(*FAST, *options, "blobs", server.name + "/a", folder, *arguments, **more)


def is_there(folder, data=BLOB):
    equal(os.listdir(folder), [digest(data).replace(":", "-")])
    with open(f"{folder}/{os.listdir(folder)[0]}", "rb") as file:
        check(file.read() == data, "the file holds something else")


def nothing_is_there(folder):
    equal(os.listdir(folder), [])


# Manifests


@test
def a_manifest_by_tag(_):
    with registry() as server:
        result = client(*FAST, "manifest", server.name + "/a:1").succeeds()
        equal(result.out, MANIFEST)
        check(f"digest {digest(MANIFEST)}" in result.err and f"type {OCI_MANIFEST}\n" in result.err, result.err)
        accept = server.requests[0].headers["Accept"]
        for kind in ("oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.list.v2",
                     "docker.distribution.manifest.v2"):
            check(f"application/vnd.{kind}+json" in accept, accept)
        equal(server.requests[0].headers["Accept-Encoding"], "identity")
        equal(server.requests[0].path, "/v2/a/manifests/1")


@test
def a_manifest_by_digest_of_both_algorithms(_):
    with registry() as server:
        for algorithm in ("sha256", "sha512"):
            result = client(*FAST, "manifest", f"{server.name}/a@{digest(MANIFEST, algorithm)}").succeeds()
            check(f"digest {digest(MANIFEST, algorithm)}" in result.err, result.err)


@test
def a_manifest_of_another_digest_is_refused(_):
    with registry() as server:
        client(*FAST, "manifest", f"{server.name}/a@{digest(b'other')}").fails("image-damaged", digest(MANIFEST))


@test
def a_manifest_that_is_not_what_the_registry_says_is_refused(_):
    liar = [("/.*", lambda h: manifest(h, headers=[("Docker-Content-Digest", digest(b"other"))]))]
    with Server(liar) as server:
        client(*FAST, "manifest", server.name + "/a:1").fails("image-damaged", digest(b"other"))


@test
def a_manifest_that_is_too_large_is_refused(_):
    with Server([("/v2/a/.*", lambda h: h.answer(200, b"x", length=5 << 20)), ("/v2/b/.*", lambda h: h.endless())]) as server:
        client(*FAST, "manifest", server.name + "/a:1").fails("image-damaged", "5242880 bytes, more than 4 MiB")
        client(*FAST, "manifest", server.name + "/b:1").fails("image-damaged", "does not end within 4 MiB")


@test
def a_web_page_in_place_of_a_manifest_is_told(_):
    page = [("/.*", lambda h: h.answer(200, b"<html>Log in</html>", [("Content-Type", "text/html; charset=utf-8")]))]
    with Server(page) as server:
        for what in ("/a:1", "/a@" + digest(MANIFEST)):
            client(*FAST, "manifest", server.name + what).fails("registry", "a web page came", "no proxy or login page")


@test
def a_header_without_end_is_refused(_):
    def header(handler):
        handler.send_response(200)
        for number in range(10000):
            handler.send_header(f"X-{number}", "x" * 100)
        handler.answer(200)
    with Server([("/.*", header)]) as server:
        client(*FAST, "manifest", server.name + "/a:1").fails("registry", "more than 65536 bytes")


# Blobs


@test
def a_blob_comes_into_its_file(folder):
    with registry() as server:
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal(len(server.requests), 1)
        fetch_blob(server, folder).succeeds()
        equal(len(server.requests), 1)


@test
def a_file_that_is_not_the_blob_is_replaced(folder):
    with registry() as server:
        with open(f"{folder}/{BLOB_FILE}", "wb") as file:
            file.write(BLOB[:-1] + bytes([BLOB[-1] ^ 1]))
        fetch_blob(server, folder).succeeds()
        is_there(folder)


@test
def an_empty_blob(folder):
    with registry(lambda h: h.answer(200)) as server:
        fetch_blob(server, folder, arguments=(digest(b""), "0")).succeeds()
        is_there(folder, b"")


@test
def a_blob_of_another_digest_is_removed(folder):
    with registry(lambda h: h.blob(bytes(len(BLOB)))) as server:
        fetch_blob(server, folder).fails("image-damaged", "another digest")
        nothing_is_there(folder)
        equal(len(server.requests), 1)


@test
def a_blob_of_another_size_is_removed(folder):
    for size in (len(BLOB) - 1, len(BLOB) + 1):
        with registry(lambda h: h.answer(200, BLOB[:10], length=size)) as server:
            fetch_blob(server, folder).fails("image-damaged", f"has {size} bytes", f"manifest says {len(BLOB)}")
            nothing_is_there(folder)


@test
def a_blob_without_end_is_removed(folder):
    with registry(lambda h: h.endless()) as server:
        fetch_blob(server, folder).fails("image-damaged", "sends more than")
        nothing_is_there(folder)


@test
def a_cut_download_goes_on_where_it_was(folder):
    def cut(handler):
        if handler.number == 1:
            handler.answer(200, BLOB[:2000000], [("ETag", '"tag"')], length=len(BLOB))
        else:
            handler.blob(BLOB)
    with registry(cut) as server:
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal(len(server.requests), 2)
        start_at = server.requests[1].range_start()
        check(0 < start_at <= 2000000, start_at)
        equal(server.requests[1].headers["If-Range"], '"tag"')


@test
def a_server_that_always_cuts_is_given_up(folder):
    with registry(lambda h: h.answer(200, BLOB[:5000], length=len(BLOB))) as server:
        fetch_blob(server, folder, "attempts=3").fails("registry", "after 3 attempts", "cut")
        equal(len(server.requests), 3)
        check(BLOB_FILE not in os.listdir(folder), os.listdir(folder))


@test
def a_server_that_ignores_ranges_begins_anew(folder):
    def ignore(handler):
        if handler.number == 1:
            handler.answer(200, BLOB[:1000000], length=len(BLOB))
        else:
            handler.answer(200, BLOB)
    with registry(ignore) as server:
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        check(server.requests[1].range_start() > 0)


@test
def a_server_that_ignores_ranges_and_cuts_is_given_up(folder):
    """Each attempt brings two megabytes: the same ones."""
    with registry(lambda h: h.answer(200, BLOB[:2500000], length=len(BLOB))) as server:
        fetch_blob(server, folder, "attempts=3").fails("registry", "after 3 attempts")
        check(3 <= len(server.requests) <= 5, len(server.requests))


@test
def a_range_that_was_not_asked_for_is_dropped(folder):
    def wrong(handler):
        if handler.range_start():
            handler.answer(206, BLOB[5:], [("Content-Range", f"bytes 5-{len(BLOB) - 1}/{len(BLOB)}")])
        else:
            handler.answer(200, BLOB[:1000000] if handler.number == 1 else BLOB, length=len(BLOB))
    with registry(wrong) as server:
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal(len(server.requests), 3)


@test
def a_refused_range_begins_anew(folder):
    with registry(lambda h: h.answer(416) if h.range_start() else h.blob(BLOB)) as server:
        with open(f"{folder}/{BLOB_FILE}.partial", "wb") as file:
            file.write(BLOB[:1000])
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal([r.range_start() for r in server.requests], [1000, 0])


@test
def a_part_from_before_is_continued(folder):
    with registry() as server:
        with open(f"{folder}/{BLOB_FILE}.partial", "wb") as file:
            file.write(BLOB[:1000])
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal([r.range_start() for r in server.requests], [1000])


@test
def a_part_that_is_whole_needs_no_server(folder):
    with registry() as server:
        with open(f"{folder}/{BLOB_FILE}.partial", "wb") as file:
            file.write(BLOB)
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal(server.requests, [])


@test
def a_wrong_part_is_noticed_and_fetched_anew(folder):
    for wrong in (b"x" * 1000, BLOB + b"x", bytes(len(BLOB))):
        with registry() as server:
            with open(f"{folder}/{BLOB_FILE}.partial", "wb") as file:
                file.write(wrong)
            fetch_blob(server, folder).succeeds()
            is_there(folder)
            os.remove(f"{folder}/{BLOB_FILE}")


@test
def a_part_that_is_a_link_is_not_touched(folder):
    with registry() as server:
        for link in (os.symlink, os.link):
            with open(f"{folder}/mine", "wb") as file:
                file.write(b"precious")
            link(f"{folder}/mine", f"{folder}/{BLOB_FILE}.partial")
            fetch_blob(server, folder).succeeds()
            equal(sorted(os.listdir(folder)), sorted(["mine", BLOB_FILE, BLOB_FILE + ".partial"]))
            with open(f"{folder}/mine", "rb") as file:
                equal(file.read(), b"precious")
            for name in os.listdir(folder):
                os.remove(f"{folder}/{name}")


@test
def a_stalled_download_is_tried_again(folder):
    def stall(handler):
        if handler.number > 1:
            handler.blob(BLOB)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BLOB)))
        handler.end_headers()
        handler.wfile.write(BLOB[:1000])
        handler.wfile.flush()
        time.sleep(8)
        handler.close_connection = True
    with registry(stall) as server:
        begin = time.monotonic()
        fetch_blob(server, folder, "stall=1").succeeds()
        is_there(folder)
        check(1 < time.monotonic() - begin < 7, time.monotonic() - begin)
        equal(len(server.requests), 2)


@test
def a_server_that_never_answers_is_given_up(_):
    with Server([("/.*", lambda h: time.sleep(8))]) as server:
        client(*FAST, "stall=1", "attempts=2", "manifest", server.name + "/a:1").fails(
            "registry", "after 2 attempts", "sent nothing, or less than 1 KiB/s, for 1 seconds", "[images]")


@test
def a_server_that_never_answers_gets_half_the_attempts(_):
    with Server([("/.*", lambda h: time.sleep(8))]) as server:
        client(*FAST, "stall=1", "attempts=6", "manifest", server.name + "/a:1").fails("registry", "after 3 attempts")
        equal(len(server.requests), 3)


@test
def a_connection_that_is_not_accepted_is_given_up(_):
    """A queue that is full: the kernel answers no further SYN."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        time.sleep(0.2)
        client(*FAST, "connect=1", "attempts=2", "manifest", f"127.0.0.1:{address[1]}/a:1").fails(
            "registry", "no connection within 1 seconds")
        for one in waiting:
            one.close()


@test
def many_blobs_come_at_once(folder):
    blobs = [os.urandom(200000 + i) for i in range(12)]
    by_digest = {digest(b): b for b in blobs}
    active, most, lock = [0], [0], threading.Lock()

    def answer(handler):
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        time.sleep(0.1)
        handler.blob(by_digest[handler.path.split("/")[-1]])
        with lock:
            active[0] -= 1
    with registry(answer) as server:
        arguments = [text for b in blobs + blobs[:2] for text in (digest(b), str(len(b)))]
        result = fetch_blob(server, folder, "parallel=4", arguments=arguments).succeeds()
        equal(sorted(os.listdir(folder)), sorted(d.replace(":", "-") for d in by_digest))
        equal(len(server.requests), 12)
        check(2 <= most[0] <= 4, most[0])
        check("descriptor" not in result.err, result.err)
        for index in range(12):
            check(f"progress {index} {len(blobs[index])}\n" in result.err, result.err)


@test
def one_bad_blob_of_many_fails_all(folder):
    blobs = [os.urandom(100000) for _ in range(6)]

    def answer(handler):
        which = next(b for b in blobs if digest(b) == handler.path.split("/")[-1])
        handler.blob(bytes(len(which)) if which is blobs[3] else which)
    with registry(answer) as server:
        arguments = [text for b in blobs for text in (digest(b), str(len(b)))]
        result = fetch_blob(server, folder, arguments=arguments).fails("image-damaged", digest(blobs[3]))
        check("descriptor" not in result.err, result.err)
        check(not any(digest(blobs[3])[7:] in name for name in os.listdir(folder)), os.listdir(folder))


@test
def the_caller_gives_up(folder):
    def slow(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BLOB)))
        handler.end_headers()
        for at in range(0, len(BLOB), 100000):
            handler.wfile.write(BLOB[at:at + 100000])
            time.sleep(0.05)
    with registry(slow) as server:
        fetch_blob(server, folder, "stop-at=500000").fails("registry", "given up")
        equal(os.listdir(folder), [BLOB_FILE + ".partial"])


@test
def a_killed_download_is_continued(folder):
    def slow(handler):
        if handler.number > 1:
            handler.blob(BLOB)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(BLOB)))
        handler.end_headers()
        handler.wfile.write(BLOB[:1500000])
        handler.wfile.flush()
        time.sleep(3)
        handler.close_connection = True
    with registry(slow) as server:
        process = start(*FAST, "blobs", server.name + "/a", folder, *BLOB_ARGUMENTS)
        part = f"{folder}/{BLOB_FILE}.partial"
        until = time.monotonic() + 10
        while time.monotonic() < until and (not os.path.exists(part) or os.path.getsize(part) < 1000000):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        equal(os.listdir(folder), [BLOB_FILE + ".partial"])
        there = os.path.getsize(part)
        check(there >= 1000000, there)
        fetch_blob(server, folder).succeeds()
        is_there(folder)
        equal(server.requests[-1].range_start(), there)


@test
def two_at_once_do_not_disturb_each_other(folder):
    def slow(handler):
        time.sleep(0.3)
        handler.blob(BLOB)
    with registry(slow) as server:
        processes = [start(*FAST, "blobs", server.name + "/a", folder, *BLOB_ARGUMENTS) for _ in range(4)]
        for process in processes:
            _, err = process.communicate(timeout=30)
            equal((process.returncode, b"error" in err), (0, False))
        is_there(folder)
        check(len(server.requests) >= 2, "they were not at once")


@test
def a_full_disk_is_told(folder):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000))
    with registry() as server:
        fetch_blob(server, folder, preexec_fn=limit).fails("limit", "cannot be written")
        equal(os.listdir(folder), [BLOB_FILE + ".partial"])


@test
def a_folder_at_the_blobs_place_is_kept(folder):
    os.makedirs(f"{folder}/{BLOB_FILE}/x")
    with registry() as server:
        fetch_blob(server, folder).fails("system", "cannot be renamed")
        check(os.path.isdir(f"{folder}/{BLOB_FILE}/x"))


@test
def a_digest_that_is_a_path_is_refused(folder):
    with registry() as server:
        for bad in ("sha256:../../x", "sha256:" + "g" * 64, "md5:" + "0" * 32, "sha256:" + "A" * 64):
            fetch_blob(server, folder, arguments=(bad, "1")).fails("image-damaged", "is not a digest")
        equal(server.requests, [])


# Servers in trouble


@test
def retry_after_is_waited_for(_):
    with Server([("/.*", lambda h: manifest(h) if h.number > 1 else h.answer(429, headers=[("Retry-After", "1")]))]) as server:
        begin = time.monotonic()
        client(*FAST, "manifest", server.name + "/a:1").succeeds()
        check(1 <= time.monotonic() - begin < 5, time.monotonic() - begin)


@test
def a_retry_after_of_hours_is_not(_):
    with Server([("/.*", lambda h: h.answer(429, error("TOOMANY", "slow down"), [("Retry-After", "99999")]))]) as server:
        client(*FAST, "manifest", server.name + "/a:1").fails("registry", "99999 seconds", "(429)", "slow down")
        equal(len(server.requests), 1)


@test
def trouble_that_ends_is_waited_for(_):
    for status in (500, 502, 503, 504, 408):
        with Server([("/.*", lambda h: manifest(h) if h.number > 2 else h.answer(status))]) as server:
            client(*FAST, "manifest", server.name + "/a:1").succeeds()
            equal(len(server.requests), 3)


@test
def trouble_that_stays_is_told_in_the_servers_words(_):
    words = "disk\u001b[31m full\n\u202e!"
    with Server([("/.*", lambda h: h.answer(503, error("UNKNOWN", words)))]) as server:
        result = client(*FAST, "attempts=3", "manifest", server.name + "/a:1")
        result.fails("registry", f"registry {server.name}: after 3 attempts: ", "(status 503)", "disk [31m full  !")
        check("\x1b" not in result.err and "\u202e" not in result.err, result.err)
        equal(len(server.requests), 3)


@test
def what_is_missing_or_forbidden_is_told_once(_):
    routes = [("/v2/f/.*", lambda h: h.answer(403, error("DENIED", "not you"))), ("/v2/h/.*", lambda h: h.answer(400, b"<html>"))]
    with Server(routes) as server:
        client(*FAST, "manifest", server.name + "/b:1").fails("image-missing", "image b:1: there is none", "no such thing")
        client(*FAST, "manifest", server.name + "/f:1").fails("registry-denied", "without credentials (403)", "not you")
        client(*FAST, "manifest", server.name + "/f:1", environment=USER).fails("registry-denied", "from the caller")
        client(*FAST, "manifest", server.name + "/h:1").fails("registry", "status 400")
        equal(len(server.requests), 4)


# Redirects


@test
def a_redirect_to_another_host_gets_no_credentials(folder):
    with registry(lambda h: h.answer(403) if h.headers["Authorization"] else h.blob(BLOB)) as storage:
        def blob(handler):
            if handler.headers["Authorization"] != BASIC:
                handler.answer(401, headers=[("WWW-Authenticate", 'Basic realm="x"')])
            else:
                handler.answer(307, headers=[("Location", storage.origin + "/v2/a/blobs/x?signature=SECRET")])
        with registry(blob) as server:
            fetch_blob(server, folder, environment=USER).succeeds()
            is_there(folder)
            equal([r.headers["Authorization"] for r in storage.requests], [None])
            equal(storage.requests[0].path, "/v2/a/blobs/x?signature=SECRET")


@test
def a_redirect_within_the_registry_keeps_them(_):
    def answer(handler):
        if handler.headers["Authorization"] != BASIC:
            handler.answer(401, headers=[("WWW-Authenticate", 'Basic realm="x"')])
        elif handler.path.endswith("/1"):
            handler.answer(302, headers=[("Location", "2")])
        else:
            manifest(handler)
    with Server([("/.*", answer)]) as server:
        client(*FAST, "manifest", server.name + "/a:1", environment=USER).succeeds()
        equal(server.requests[-1].path, "/v2/a/manifests/2")


@test
def what_a_redirect_leads_back_to_gets_none(_):
    """Out and in again: the other host has chosen the address."""
    with Server([]) as other:
        def answer(handler):
            if handler.path == "/v2/a/manifests/stolen":
                manifest(handler)
            elif handler.headers["Authorization"] != BASIC:
                handler.answer(401, headers=[("WWW-Authenticate", "Basic")])
            else:
                handler.answer(302, headers=[("Location", other.origin + "/x")])
        with Server([("/.*", answer)]) as server:
            other.http.routes.append(("/x", lambda h: h.answer(302, headers=[("Location", server.origin + "/v2/a/manifests/stolen")])))
            client(*FAST, "manifest", server.name + "/a:1", environment=USER).succeeds()
            equal(server.requests[-1].headers["Authorization"], None)


@test
def a_challenge_of_another_host_is_not_answered(_):
    with Server([("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", "Basic realm=x")]))]) as other:
        with Server([("/.*", lambda h: h.answer(302, headers=[("Location", other.origin + "/x?SECRET")]))]) as server:
            client(*FAST, "attempts=2", "manifest", server.name + "/a:1", environment=USER).fails(
                "registry", other.name, "redirects to", "status 401")
            check(all(r.headers["Authorization"] is None for r in other.requests), "it was answered")


@test
def strange_redirects_are_refused(_):
    cases = [("file:///etc/passwd", "neither http"), ("ftp://x/", "neither http"), ("http://u:p@127.0.0.1/", "user or password"),
             ("", "does not say where"), ("http://", "not followed")]
    for location, cause in cases:
        with Server([("/.*", lambda h: h.answer(302, headers=[("Location", location)]))]) as server:
            client(*FAST, "manifest", server.name + "/a:1").fails("registry", "redirects to an address", cause)
    with Server([("/.*", lambda h: h.answer(302, headers=[("Location", h.path)]))]) as server:
        client(*FAST, "manifest", server.name + "/a:1").fails("registry", "status 302")
        equal(len(server.requests), 11)


if __name__ == "__main__":
    import registry_tokens, registry_tls, registry_mirrors  # noqa: E401,F401  more tests
    main()
