"""Mirrors: who is asked, who is passed over, who gets which credentials. Tests for registry.py."""
import base64
import json
import os
import resource
import signal
import socket
import time

from hostile import OCI_MANIFEST, Server, digest, error
from tap import check, client, equal, test

MANIFEST = json.dumps({
    "schemaVersion": 2, "mediaType": OCI_MANIFEST, "layers": [],
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(b"{}"), "size": 2}}).encode()
BLOB = os.urandom(3 << 20)
BLOB_ARGUMENTS = (digest(BLOB), str(len(BLOB)))
BLOB_FILE = digest(BLOB).replace(":", "-")
FAST = ("plain-http=1", "back-off=10", "attempts=3")
USERS = {"CLIENT_USER": "me", "CLIENT_PASSWORD": "SECRET-own", "MIRROR0_USER": "you", "MIRROR0_PASSWORD": "SECRET-0",
         "MIRROR1_USER": "they", "MIRROR1_PASSWORD": "SECRET-1"}


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


OWN, MIRROR0, MIRROR1 = basic("me", "SECRET-own"), basic("you", "SECRET-0"), basic("they", "SECRET-1")


def manifest(handler, body=MANIFEST):
    handler.answer(200, body, [("Content-Type", OCI_MANIFEST)])


def whole(manifests=manifest, blobs=lambda h: h.blob(BLOB)):
    """A server that has the image."""
    return Server([("/v2/.*/manifests/.*", manifests), ("/v2/.*/blobs/.*", blobs)])


def always(answer):
    return Server([("/.*", answer)])


def passed_over(result, *mirrors):
    """One warning for each of MIRRORS, in this order."""
    warnings = [line for line in result.err.splitlines() if line.startswith("coracle: warning: ")]
    equal([line.split()[3] for line in warnings], list(mirrors))
    check(all(" is passed over: " in line for line in warnings), result.err)
    check("SECRET" not in result.err, result.err)


def seen(server):
    """All that has come to a server, as one text."""
    return "\n".join(f"{r.command} {r.path}\n{r.headers}\n{r.body.decode(errors='replace')}" for r in server.requests)


def is_there(folder):
    equal(os.listdir(folder), [BLOB_FILE])
    with open(f"{folder}/{BLOB_FILE}", "rb") as file:
        check(file.read() == BLOB, "the file holds something else")


def fetch_blob(server, folder, *options, arguments=BLOB_ARGUMENTS, **more):
    return client(*FAST, *options, "blobs", server.name + "/a", folder, *arguments, **more)


@test
def what_a_mirror_has_comes_from_there(folder):
    with whole() as mirror, whole() as server:
        for what in ("/a:1", f"/a@{digest(MANIFEST)}"):
            result = client(*FAST, f"mirror={mirror.name}", "manifest", server.name + what).succeeds()
            equal(result.out, MANIFEST)
            passed_over(result)
        passed_over(fetch_blob(server, folder, f"mirror={mirror.name}").succeeds())
        is_there(folder)
        equal(server.requests, [])
        equal([r.path for r in mirror.requests],
              ["/v2/a/manifests/1", f"/v2/a/manifests/{digest(MANIFEST)}", f"/v2/a/blobs/{digest(BLOB)}"])


@test
def a_mirror_below_a_prefix(_):
    with whole() as mirror, whole() as server:
        client(*FAST, f"mirror={mirror.name}/site/hub", "manifest", server.name + "/a/b:1").succeeds()
        equal([r.path for r in mirror.requests], ["/v2/site/hub/a/b/manifests/1"])


@test
def docker_hubs_short_names_are_long_at_a_mirror(_):
    with whole() as mirror:
        client(*FAST, f"mirror={mirror.name}/hub", "manifest", "docker.io/debian:12").succeeds()
        equal([r.path for r in mirror.requests], ["/v2/hub/library/debian/manifests/12"])


@test
def mirrors_are_asked_in_their_order(_):
    with always(lambda h: h.answer(404)) as first, whole() as second, whole() as third, whole() as server:
        result = client(*FAST, *[f"mirror={m.name}" for m in (first, second, third)], "manifest", server.name + "/a:1").succeeds()
        passed_over(result, first.name)
        equal([len(s.requests) for s in (first, second, third, server)], [1, 1, 0, 0])


@test
def a_mirror_without_it_is_passed_over(folder):
    """Whatever its answer, the registry is asked; what might pass gets two attempts, not three."""
    for status, times in ((404, 1), (401, 1), (403, 1), (400, 1), (503, 2), (429, 2), (204, 1)):
        with always(lambda h: h.answer(status, error("X", "SECRET-0 is yours"))) as mirror, whole() as server:
            result = client(*FAST, f"mirror={mirror.name}", "manifest", server.name + "/a:1", environment=USERS)
            passed_over(result.succeeds(), mirror.name)
            equal((len(mirror.requests), len(server.requests)), (times, 1))
            blobs = f"{folder}/{status}"
            os.mkdir(blobs)
            passed_over(fetch_blob(server, blobs, f"mirror={mirror.name}", environment=USERS).succeeds(), mirror.name)
            is_there(blobs)


@test
def a_mirror_that_cannot_be_reached_is_passed_over(_):
    with socket.socket() as unused, whole() as server:
        unused.bind(("127.0.0.1", 0))
        for name in (f"127.0.0.1:{unused.getsockname()[1]}", "no-such-host.invalid"):
            passed_over(client(*FAST, f"mirror={name}", "manifest", server.name + "/a:1").succeeds(), name)


@test
def a_mirror_that_never_answers_is_passed_over(_):
    with always(lambda h: time.sleep(8)) as mirror, whole() as server:
        begin = time.monotonic()
        result = client(*FAST, "stall=1", f"mirror={mirror.name}", "manifest", server.name + "/a:1").succeeds()
        passed_over(result, mirror.name)
        check(time.monotonic() - begin < 10, time.monotonic() - begin)


@test
def a_mirror_that_asks_for_a_long_wait_is_passed_over(_):
    with always(lambda h: h.answer(503, headers=[("Retry-After", "60")])) as mirror, whole() as server:
        passed_over(client(*FAST, f"mirror={mirror.name}", "manifest", server.name + "/a:1").succeeds(), mirror.name)
        equal(len(mirror.requests), 1)


@test
def a_mirror_that_does_not_speak_as_configured_is_passed_over(_):
    """Plain http where TLS is meant: nothing is sent that anybody could read."""
    with whole() as mirror:
        client("attempts=1", "back-off=10", f"mirror={mirror.name}", "manifest", "127.0.0.1:1/a:1", environment=USERS).fails(
            "registry", "registry 127.0.0.1:1: ")
        equal(mirror.requests, [])


@test
def a_mirror_that_lies_is_passed_over(folder):
    liars = [lambda h: h.blob(bytes(len(BLOB))), lambda h: h.answer(200, BLOB[:-1]), lambda h: h.answer(200, BLOB + b"x"),
             lambda h: h.endless(), lambda h: h.blob(BLOB[:-1] + bytes([BLOB[-1] ^ 1]))]
    for number, liar in enumerate(liars):
        with whole(lambda h: manifest(h, MANIFEST + b" "), liar) as mirror, whole() as server:
            blobs = f"{folder}/{number}"
            os.mkdir(blobs)
            passed_over(fetch_blob(server, blobs, f"mirror={mirror.name}").succeeds(), mirror.name)
            is_there(blobs)
            equal([r.range_start() for r in server.requests], [0])
            result = client(*FAST, f"mirror={mirror.name}", "manifest", f"{server.name}/a@{digest(MANIFEST)}").succeeds()
            equal(result.out, MANIFEST)
            passed_over(result, mirror.name)


@test
def a_mirror_that_sends_something_else_under_a_tag_is_passed_over(_):
    for body in (b"<html>You have to accept our terms</html>", b"", b"{}", b'{"schemaVersion": 1}'):
        with whole(lambda h: manifest(h, body)) as mirror, whole() as server:
            result = client(*FAST, f"mirror={mirror.name}", "manifest", server.name + "/a:1").succeeds()
            equal(result.out, MANIFEST)
            passed_over(result, mirror.name)


@test
def what_a_tag_means_the_mirror_says(_):
    """Documented: who wants to be sure names the digest."""
    other = MANIFEST + b" "
    with whole(lambda h: manifest(h, other)) as mirror, whole() as server:
        result = client(*FAST, f"mirror={mirror.name}", "manifest", server.name + "/a:1").succeeds()
        equal(result.out, other)


@test
def what_a_mirror_began_the_registry_continues(folder):
    with whole(blobs=lambda h: h.answer(200, BLOB[:1500000], length=len(BLOB)) if h.number == 1 else h.answer(404)) as mirror:
        with whole() as server:
            passed_over(fetch_blob(server, folder, f"mirror={mirror.name}").succeeds(), mirror.name)
            is_there(folder)
            starts = [r.range_start() for r in server.requests]
            check(len(starts) == 1 and 0 < starts[0] <= 1500000, starts)


@test
def what_a_lying_mirror_began_is_fetched_anew(folder):
    with whole(blobs=lambda h: h.answer(200, bytes(1500000), length=len(BLOB)) if h.number == 1 else h.answer(404)) as mirror:
        with whole() as server:
            passed_over(fetch_blob(server, folder, f"mirror={mirror.name}").succeeds(), mirror.name)
            is_there(folder)
            starts = [r.range_start() for r in server.requests]
            check(len(starts) == 2 and starts[0] > 0 and starts[1] == 0, starts)


@test
def a_mirror_that_has_failed_is_not_asked_again(folder):
    blobs = {digest(b): b for b in (os.urandom(1000 + i) for i in range(20))}
    arguments = [text for name, b in blobs.items() for text in (name, str(len(b)))]

    def has(handler):
        handler.blob(blobs[handler.path.split("/")[-1]])

    def loses(handler):
        has(handler) if len(mirror.requests) <= 5 else handler.answer(404)
    for parallel in (1, 4):
        with whole(blobs=loses) as mirror, whole(blobs=has) as server:
            target = f"{folder}/{parallel}"
            os.mkdir(target)
            result = fetch_blob(server, target, f"parallel={parallel}", f"mirror={mirror.name}", arguments=arguments).succeeds()
            passed_over(result, mirror.name)
            equal(len(os.listdir(target)), 20)
            check(6 <= len(mirror.requests) <= 5 + parallel, len(mirror.requests))
            equal(len(server.requests), 15)


@test
def the_registrys_own_error_is_told_in_the_end(folder):
    with always(lambda h: h.answer(500)) as mirror, always(lambda h: h.answer(403, error("DENIED", "not you"))) as server:
        result = client(*FAST, f"mirror={mirror.name}", "manifest", server.name + "/a:1")
        passed_over(result.fails("registry-denied", f"registry {server.name}: ", "not you"), mirror.name)
        passed_over(fetch_blob(server, folder, f"mirror={mirror.name}").fails("registry-denied", digest(BLOB)), mirror.name)
        equal(os.listdir(folder), [])


@test
def who_gives_up_asks_nobody_else(folder):
    with whole() as mirror, whole() as server:
        result = fetch_blob(server, folder, f"mirror={mirror.name}", "stop-at=1").fails("registry", "given up")
        passed_over(result)
        equal(server.requests, [])


@test
def a_full_disk_is_not_the_mirrors_fault(folder):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000000, 1000000))
    with whole() as mirror, whole() as server:
        passed_over(fetch_blob(server, folder, f"mirror={mirror.name}", preexec_fn=limit).fails("limit", "cannot be written"))
        equal(server.requests, [])


@test
def each_gets_its_own_credentials(folder):
    """On the wire: of all servers each has seen its own, and nothing of the others'."""
    def wants(right, answer):
        def guarded(handler):
            if handler.headers["Authorization"] == right:
                answer(handler)
            else:
                handler.answer(401, headers=[("WWW-Authenticate", 'Basic realm="x"')])
        return guarded
    missing = wants(MIRROR0, lambda h: h.answer(404))
    with whole(missing, missing) as first, whole(wants(MIRROR1, manifest), wants(MIRROR1, lambda h: h.answer(404))) as second:
        with whole(wants(OWN, manifest), wants(OWN, lambda h: h.blob(BLOB))) as server:
            mirrors = (f"mirror={first.name}", f"mirror={second.name}/prefix")
            client(*FAST, *mirrors, "manifest", server.name + "/a:1", environment=USERS).succeeds()
            equal(server.requests, [])
            passed_over(fetch_blob(server, folder, *mirrors, environment=USERS).succeeds(), first.name, second.name + "/prefix")
            is_there(folder)
            for here, own in ((first, MIRROR0), (second, MIRROR1), (server, OWN)):
                equal({r.headers["Authorization"] for r in here.requests}, {None, own})
                for other in {MIRROR0, MIRROR1, OWN} - {own}:
                    check(other.split()[1] not in seen(here), seen(here))


@test
def a_mirror_without_credentials_gets_none(_):
    """Not even where it asks for them, or has them sent to itself by the registry."""
    challenge = [("WWW-Authenticate", 'Basic realm="x"')]
    with always(lambda h: h.answer(401, headers=challenge)) as mirror:
        def registry(handler):
            if handler.headers["Authorization"] != OWN:
                handler.answer(401, headers=challenge)
            else:
                handler.answer(307, headers=[("Location", mirror.origin + handler.path)])
        own = {name: value for name, value in USERS.items() if name.startswith("CLIENT")}
        with always(registry) as server:
            result = client(*FAST, f"mirror={mirror.name}", "manifest", server.name + "/a:1", environment=own)
            passed_over(result.fails("registry", "redirects to"), mirror.name)
            check(len(mirror.requests) >= 2 and len(server.requests) >= 2, "nobody was asked")
            equal({r.headers["Authorization"] for r in mirror.requests}, {None})


@test
def a_mirror_that_redirects_to_the_registry_moves_no_credentials(folder):
    challenge = [("WWW-Authenticate", 'Basic realm="x"')]
    with whole(blobs=lambda h: h.answer(403) if h.headers["Authorization"] else h.blob(BLOB)) as server:
        def mirror_answer(handler):
            if handler.headers["Authorization"] != MIRROR0:
                handler.answer(401, headers=challenge)
            else:
                handler.answer(307, headers=[("Location", server.origin + handler.path)])
        with always(mirror_answer) as mirror:
            passed_over(fetch_blob(server, folder, f"mirror={mirror.name}", environment=USERS).succeeds())
            is_there(folder)
            equal([r.headers["Authorization"] for r in server.requests], [None])


@test
def a_token_server_gets_the_credentials_of_who_names_it(_):
    """The mirror and the registry name one token server; and each token goes back to where it was asked for."""
    def issue(handler):
        who = {MIRROR0: "mirror", OWN: "own"}.get(handler.headers["Authorization"], "nobody")
        handler.answer(200, json.dumps({"token": f"SECRET-token-{who}-{handler.path.count('mirror-service')}"}).encode())

    def wants(token, service, answer):
        def guarded(handler):
            if handler.headers["Authorization"] == "Bearer " + token:
                answer(handler)
            else:
                handler.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="{tokens.origin}/t",service="{service}"')])
        return guarded
    with Server([("/t", issue)]) as tokens:
        with always(wants("SECRET-token-mirror-1", "mirror-service", lambda h: h.answer(404))) as mirror:
            with whole(wants("SECRET-token-own-0", "own-service", manifest)) as server:
                result = client(*FAST, f"mirror={mirror.name}/p", "manifest", server.name + "/a:1", environment=USERS).succeeds()
                passed_over(result, mirror.name + "/p")
                equal([r.headers["Authorization"] for r in tokens.requests], [MIRROR0, OWN])
                check("scope=repository%3Ap%2Fa%3Apull" in tokens.requests[0].path, tokens.requests[0].path)
                check("token-own" not in seen(mirror) and "token-mirror" not in seen(server), "a token went elsewhere")


@test
def locations_that_are_none_are_refused(_):
    for bad in ("", "mirror", "https://mirror.example", "mirror.example/", "mirror.example/UPPER", "mirror.example:x", "a b.c", "/x"):
        client(*FAST, f"mirror={bad}", "manifest", "127.0.0.1:1/a:1").fails("registry", "is not HOST[:PORT][/PREFIX]")
    client(*FAST, "mirror=user:SECRET@mirror.example", "manifest", "127.0.0.1:1/a:1").fails("registry", "with a user")
    client(*FAST, *["mirror=127.0.0.1:1"] * 17, "manifest", "127.0.0.1:1/a:1").fails("registry", "17 mirrors, more than 16")


def keep(folder, **entries):
    """A file with credentials, as the environment names it. The members: (name, user and password)"""
    with open(folder + "/auth.json", "w") as file:
        json.dump({"auths": {name: {"auth": base64.b64encode(pair.encode()).decode()} for name, pair in entries.values()}}, file)
    return {"REGISTRY_AUTH_FILE": folder + "/auth.json"}


@test
def a_configured_mirror_gets_what_is_kept_for_its_own_name(folder):
    challenge = [("WWW-Authenticate", 'Basic realm="x"')]
    refuse = lambda h: h.answer(401, headers=challenge)  # noqa: E731
    with always(refuse) as first, always(refuse) as second, always(refuse) as third, always(refuse) as server:
        environment = keep(folder, own=(server.name, "me:SECRET-own"), first=(first.name, "you:SECRET-0"),
                           second=(second.name + "/hub/library", "they:SECRET-1"), other=(second.name + "/other", "x:SECRET-x"))
        result = client("plain-http=1", *[f"config={s.name}" for s in (first, second, third)],
                        *[f"mirror={name}" for name in (first.name, second.name + "/hub/library", third.name + "/hub")],
                        "manifest", server.name + "/a:1", environment=environment)
        passed_over(result.fails("registry-denied", "user me"), first.name, second.name + "/hub/library", third.name + "/hub")
        for here, own in ((first, MIRROR0), (second, MIRROR1), (third, None), (server, OWN)):
            equal({r.headers["Authorization"] for r in here.requests}, {None, own})
        equal(second.requests[0].path, "/v2/hub/library/a/manifests/1")


@test
def a_mirror_of_docker_hub_has_its_long_names(folder):
    with always(lambda h: h.answer(401, headers=[("WWW-Authenticate", "Basic realm=x")])) as mirror:
        environment = keep(folder, long=(mirror.name + "/hub/library/debian", "you:SECRET-0"))
        proxy = {"https_proxy": "http://127.0.0.1:1"}  # nothing leaves this machine
        client(f"config={mirror.name}", f"mirror={mirror.name}/hub", "manifest", "docker.io/debian:12",
               environment={**environment, **proxy}).fails("registry")
        equal([r.headers["Authorization"] for r in mirror.requests], [None, MIRROR0])


@test
def what_is_configured_for_the_registry_is_not_for_its_mirrors(_):
    """Plain http of an option is the registry's alone."""
    with whole() as mirror, whole() as server:
        result = client("plain-http=1", "config=unused.example", f"mirror={mirror.name}", "manifest", server.name + "/a:1").succeeds()
        passed_over(result, mirror.name)
        equal((mirror.requests, len(server.requests)), ([], 1))


@test
def a_configured_mirror_that_is_none_is_left_out(_):
    with whole() as server:
        for bad in ("mirror", "user:SECRET@mirror.example"):
            result = client("plain-http=1", "config=unused.example", f"mirror={bad}", "manifest", server.name + "/a:1").succeeds()
            check("warning: a mirror of " in result.err and "(coracle.toml:7) is passed over" in result.err, result.err)
            check("SECRET" not in result.err, result.err)


@test
def only_the_registry_itself_is_logged_in_to(_):
    with whole() as mirror, Server([("/v2/", lambda h: h.answer(200, b"{}"))]) as server:
        client(*FAST, f"mirror={mirror.name}", "check", server.name + "/a", environment=USERS).succeeds()
        equal((len(mirror.requests), len(server.requests)), (0, 1))
