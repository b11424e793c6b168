"""Who is let in: Basic, tokens, identity tokens. Tests for registry.py."""
import base64
import json
import os
import threading
import time
import urllib.parse

from hostile import OCI_MANIFEST, Server, digest, error
from tap import check, client, equal, test

USER = {"CLIENT_USER": "me", "CLIENT_PASSWORD": "SECRET"}
TOKEN = {"CLIENT_TOKEN": "SECRETtoken"}
BASIC = "Basic " + base64.b64encode(b"me:SECRET").decode()
FAST = ("plain-http=1", "back-off=10", "attempts=3")


def manifest(handler):
    handler.answer(200, b"{}", [("Content-Type", OCI_MANIFEST)])


class Tokens:
    """A registry that wants tokens, and its token server. A token is good for USES requests."""

    def __init__(self, uses=10**9, members=None, scope="repository:a:pull", answer=manifest):
        self.uses, self.members, self.scope, self.answer = uses, members or {}, scope, answer
        self.good, self.issued, self.lock = {}, 0, threading.Lock()
        self.server = Server([("/token", self.issue), ("/v2/.*", self.registry)])
        self.realm = self.server.origin + "/token"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def issue(self, handler):
        with self.lock:
            self.issued += 1
            token = f"token{self.issued}.SECRET"
            self.good["Bearer " + token] = self.uses
        handler.answer(200, json.dumps({"token": token, **self.members} if "access_token" not in self.members else
                                       {"access_token": token}).encode())

    def registry(self, handler):
        with self.lock:
            left = self.good.get(handler.headers["Authorization"], 0)
            self.good[handler.headers["Authorization"]] = left - 1
        if left > 0:
            self.answer(handler)
            return
        challenge = f'Bearer realm="{self.realm}",service="the service"' + (f',scope="{self.scope}"' if self.scope else "")
        handler.answer(401, error("UNAUTHORIZED", "authentication required"), [("WWW-Authenticate", challenge)])

    def query(self, number=0):
        return urllib.parse.parse_qs(self.server.to("^/token")[number].path.partition("?")[2])


@test
def a_token_for_nobody(_):
    with Tokens() as tokens:
        client(*FAST, "manifest", tokens.server.name + "/a:1").succeeds()
        equal(tokens.query(), {"service": ["the service"], "scope": ["repository:a:pull"]})
        equal(tokens.server.to("^/token")[0].headers["Authorization"], None)
        equal(tokens.issued, 1)


@test
def a_token_for_a_user(_):
    for members in ({}, {"access_token": 1}):
        with Tokens(members=members) as tokens:
            client(*FAST, "manifest", tokens.server.name + "/a:1", environment=USER).succeeds()
            equal(tokens.server.to("^/token")[0].headers["Authorization"], BASIC)
            check(all(r.headers["Authorization"] != BASIC for r in tokens.server.to("^/v2")), "the password went elsewhere")


@test
def the_scope_is_the_registrys_or_ours(_):
    for scope, expected in (("", ["repository:x/y:pull"]), ("repository:p/x:pull repository:q:pull,push",
                                                            ["repository:p/x:pull", "repository:q:pull,push"])):
        with Tokens(scope=scope) as tokens:
            client(*FAST, "manifest", tokens.server.name + "/x/y:1").succeeds()
            equal(tokens.query()["scope"], expected)


@test
def an_identity_token_is_posted(_):
    with Tokens() as tokens:
        client(*FAST, "manifest", tokens.server.name + "/a:1", environment=TOKEN).succeeds()
        request = tokens.server.to("^/token")[0]
        equal((request.command, request.path, request.headers["Authorization"]), ("POST", "/token", None))
        equal(urllib.parse.parse_qs(request.body.decode()),
              {"grant_type": ["refresh_token"], "client_id": ["coracle"], "service": ["the service"],
               "scope": ["repository:a:pull"], "refresh_token": ["SECRETtoken"]})


@test
def a_token_server_without_oauth2_is_told(_):
    for status, part in ((404, "does not take the identity token from the caller"), (401, "is not accepted (401)")):
        def answer(handler, status=status):
            if handler.path.startswith("/token"):
                handler.answer(status, json.dumps({"error_description": "SECRETtoken is unknown"}).encode())
            else:
                handler.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="http://{handler.headers["Host"]}/token"')])
        with Server([("/.*", answer)]) as server:
            client(*FAST, "manifest", server.name + "/a:1", environment=TOKEN).fails("registry-denied", part, "coracle login")


@test
def tokens_that_expire_are_renewed_in_the_middle_of_it(folder):
    blobs = [os.urandom(50000 + i) for i in range(20)]
    by_digest = {digest(b): b for b in blobs}

    def answer(handler):
        time.sleep(0.02)
        handler.blob(by_digest[handler.path.split("/")[-1]])
    with Tokens(uses=5, answer=answer) as tokens:
        arguments = [text for b in blobs for text in (digest(b), str(len(b)))]
        client(*FAST, "blobs", tokens.server.name + "/a", folder, *arguments).succeeds()
        equal(len(os.listdir(folder)), 20)
        check(4 <= tokens.issued <= 8, f"{tokens.issued} tokens")


@test
def threads_share_one_token(folder):
    blobs = [os.urandom(50000 + i) for i in range(8)]
    by_digest = {digest(b): b for b in blobs}
    with Tokens(answer=lambda h: h.blob(by_digest[h.path.split("/")[-1]])) as tokens:
        arguments = [text for b in blobs for text in (digest(b), str(len(b)))]
        client(*FAST, "parallel=8", "blobs", tokens.server.name + "/a", folder, *arguments).succeeds()
        equal(tokens.issued, 1)


@test
def a_token_is_renewed_before_it_expires(folder):
    blobs = [os.urandom(50000 + i) for i in range(4)]
    by_digest = {digest(b): b for b in blobs}

    def answer(handler):
        time.sleep(0.5)
        handler.blob(by_digest[handler.path.split("/")[-1]])
    with Tokens(members={"expires_in": 1}, answer=answer) as tokens:
        arguments = [text for b in blobs for text in (digest(b), str(len(b)))]
        client(*FAST, "parallel=1", "blobs", tokens.server.name + "/a", folder, *arguments).succeeds()
        equal(len(tokens.server.to("^/v2")), 5)  # one 401, the first
        check(2 <= tokens.issued <= 3, f"{tokens.issued} tokens")


@test
def a_token_that_is_never_good_ends(_):
    with Tokens(uses=0) as tokens:
        client(*FAST, "manifest", tokens.server.name + "/a:1", environment=USER).fails(
            "registry-denied", "user me with the password from the caller is not let in (401)", "authentication required")
        equal(tokens.issued, 2)
    with Tokens(uses=0) as tokens:
        client(*FAST, "manifest", tokens.server.name + "/a:1").fails("registry-denied", "coracle login " + tokens.server.name)


@test
def strange_tokens_are_refused(_):
    answers = [b"", b"<html>", b"[]", b"{}", b'{"token": ""}', b'{"token": 5}', b'{"token": "a\\r\\nX: y"}', b'{"token": "a b"}',
               json.dumps({"token": "x" * 50000}).encode()]
    for body in answers:
        def answer(handler, body=body):
            if handler.path.startswith("/token"):
                handler.answer(200, body)
            else:
                handler.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="http://{handler.headers["Host"]}/token"')])
        with Server([("/.*", answer)]) as server:
            client(*FAST, "manifest", server.name + "/a:1", environment=USER).fails("registry", "holds no token")


@test
def a_token_server_in_trouble_is_asked_again(_):
    with Tokens() as tokens:
        issue = tokens.issue
        tokens.server.http.routes[0] = ("/token", lambda h: issue(h) if len(tokens.server.to("^/token")) > 2 else h.answer(503))
        client(*FAST, "manifest", tokens.server.name + "/a:1").succeeds()
        tokens.server.http.routes[0] = ("/token", lambda h: h.endless())
        client(*FAST, "manifest", tokens.server.name + "/a:1").fails("registry", "its token server")
        tokens.server.http.routes[0] = ("/token", lambda h: h.answer(302, headers=[("Location", "/elsewhere")]))
        client(*FAST, "manifest", tokens.server.name + "/a:1", environment=USER).fails("registry", "status 302")


@test
def a_password_that_is_wrong_is_told_but_not_shown(_):
    def answer(handler):
        handler.answer(401, error("UNAUTHORIZED", handler.headers["Authorization"] or "none"), [("WWW-Authenticate", 'Basic realm="x"')])
    with Server([("/.*", answer)]) as server:
        client(*FAST, "check", server.name + "/a", environment=USER).fails("registry-denied", "user me", "from the caller")
        equal([r.headers["Authorization"] for r in server.requests], [None, BASIC])
        client(*FAST, "check", server.name + "/a").fails("registry-denied", "lets nobody in without credentials (401)")
    with Server([("/.*", lambda h: h.answer(401, error("X", "me:SECRET is wrong"), [("WWW-Authenticate", "Basic")]))]) as server:
        client(*FAST, "check", server.name + "/a", environment=USER).fails("registry-denied", "user me")


@test
def a_right_password_is_let_in(_):
    def answer(handler):
        if handler.headers["Authorization"] == BASIC:
            handler.answer(200, b"{}")
        else:
            handler.answer(401, headers=[("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "basic realm=x")])
    with Server([("/v2/", answer)]) as server:
        client(*FAST, "check", server.name + "/a", environment=USER).succeeds()


@test
def a_password_of_several_lines_is_sent(_):
    """Google's registries take a key, which is JSON, as the password."""
    key = '{\n\t"private_key": "SECRET"\r\n}\n'
    right = "Basic " + base64.b64encode(f"_json_key:{key}".encode()).decode()

    def answer(handler):
        if handler.headers["Authorization"] == right:
            handler.answer(200, b"{}")
        else:
            handler.answer(401, headers=[("WWW-Authenticate", "Basic realm=x")])
    with Server([("/v2/", answer)]) as server:
        client(*FAST, "check", server.name + "/a", environment={"CLIENT_USER": "_json_key", "CLIENT_PASSWORD": key}).succeeds()


@test
def a_challenge_for_a_password_does_not_end_a_token_for_nobody(folder):
    """Harbor sends it to who comes with a token that has expired."""
    blob = os.urandom(1000)
    with Tokens(uses=1, answer=lambda h: h.blob(blob)) as tokens:
        registry = tokens.registry

        def harbor(handler):
            if handler.headers["Authorization"] and tokens.good.get(handler.headers["Authorization"], 0) < 1:
                handler.answer(401, headers=[("WWW-Authenticate", 'Basic realm="harbor"')])
            else:
                registry(handler)
        tokens.server.http.routes[1] = ("/v2/.*", harbor)
        arguments = [text for algorithm in ("sha256", "sha512") for text in (digest(blob, algorithm), str(len(blob)))]
        client(*FAST, "parallel=1", "blobs", tokens.server.name + "/a", folder, *arguments).succeeds()
        equal(tokens.issued, 2)


@test
def other_ways_to_authenticate_are_told(_):
    for value, part in (("Digest realm=x", "by digest"), (None, "does not say how"), ("Bearer x=y", "by bearer")):
        with Server([("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", value)] if value else []))]) as server:
            client(*FAST, "check", server.name + "/a", environment=USER).fails("registry-denied", part, server.origin)
            equal(len(server.requests), 1)
    with Server([("/.*", lambda h: h.answer(401))]) as server:
        client(*FAST, "manifest", server.name + "/a:1").fails("registry-denied", "image a:1: " + server.origin, "coracle login " + server.name)


@test
def who_has_refused_is_named(_):
    """The registry, by the address that was asked, or its token server."""
    with Server([("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", "Basic realm=x")]))]) as server:
        for environment in ({}, USER):
            client(*FAST, "manifest", server.name + "/a:1", environment=environment).fails(
                "registry-denied", "image a:1: " + server.origin, "(401)", "coracle login " + server.name)
    for status in (401, 403):
        for environment in ({}, USER):
            with Server([("/token", lambda h: h.answer(status)), ("/.*", lambda h: h.answer(401, headers=[
                    ("WWW-Authenticate", f'Bearer realm="http://localhost:{h.headers["Host"].split(":")[1]}/token"')]))]) as server:
                client(*FAST, "manifest", server.name + "/a:1", environment=environment).fails(
                    "registry-denied", "image a:1: its token server http://localhost:", f"({status})", "coracle login " + server.name)


@test
def strange_realms_are_not_asked(_):
    for realm in ("ftp://x/", "http://u:p@127.0.0.1/", "/token", "", "file:///etc/passwd"):
        with Server([("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="{realm}"')]))]) as server:
            client(*FAST, "check", server.name + "/a", environment=USER).fails("registry", "token server that is not asked")


@test
def credentials_with_control_characters_are_refused(_):
    for user, password in (("me\n", "SECRET"), ("me", "SECRET\x1b"), ("a:b", "SECRET")):
        client(*FAST, "check", "127.0.0.1:1/a", environment={"CLIENT_USER": user, "CLIENT_PASSWORD": password}).fails("credentials")
