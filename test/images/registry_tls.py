"""How the registry is reached: names, addresses, TLS, proxies. Tests for registry.py."""
import base64
import os
import shutil
import socket
import subprocess
import tempfile

from hostile import OCI_MANIFEST, Server, certificates
from tap import check, client, equal, test

FOLDER = tempfile.TemporaryDirectory(prefix="coracle-test-")  # for all of these
certificates(FOLDER.name)
CA = f"ca={FOLDER.name}/ca.pem"
USER = {"CLIENT_USER": "me", "CLIENT_PASSWORD": "SECRET"}
BASIC = "Basic " + base64.b64encode(b"me:SECRET").decode()
ROUTES = [("/v2/a/manifests/.*", lambda h: h.answer(200, b"{}", [("Content-Type", OCI_MANIFEST)]))]


def secure(certificate, routes=None):
    return Server(routes or ROUTES, certificate=f"{FOLDER.name}/{certificate}")


@test
def a_private_authority_is_trusted_where_it_is_named(_):
    with secure("good") as server:
        client(CA, "manifest", server.name + "/a:1").succeeds()
        client("manifest", server.name + "/a:1").fails("registry", "nobody who is trusted here has signed its certificate")


@test
def a_private_authority_is_trusted_besides_those_of_the_system(_):
    """Also where the system has them in one file alone, without a directory: in a mount namespace it is so."""
    bundle = subprocess.run(["curl-config", "--ca"], check=True, capture_output=True, text=True).stdout.strip()
    inside = ["unshare", "-Urm", "sh", "-c", f'mount --bind "$0" "{os.path.dirname(bundle)}" && exec "$@"']
    with tempfile.TemporaryDirectory() as other, tempfile.TemporaryDirectory() as system:
        certificates(other)
        shutil.copy(f"{other}/ca.pem", f"{system}/{os.path.basename(bundle)}")
        with secure("good") as private, Server(ROUTES, certificate=f"{other}/good") as public:
            for server in (private, public):
                client(CA, "manifest", server.name + "/a:1", within=[*inside, system]).succeeds()
            client("manifest", private.name + "/a:1", within=[*inside, system]).fails("registry", "nobody who is trusted")
            client("ca=/nonexistent", "manifest", public.name + "/a:1", within=[*inside, system]).fails(
                "registry", "authorities' certificates cannot be read")
            # A node without any.
            os.remove(f"{system}/{os.path.basename(bundle)}")
            client(CA, "manifest", private.name + "/a:1", within=[*inside, system]).succeeds()


@test
def what_is_wrong_with_a_certificate_is_told(_):
    for certificate, part in (("expired", "has expired"), ("other", "is for another name"), ("self", "signed by itself")):
        with secure(certificate) as server:
            client(CA, "manifest", server.name + "/a:1").fails("registry", "its certificate", part)
            equal(server.requests, [])


@test
def an_authority_that_cannot_be_read_is_told(_):
    with secure("good") as server:
        client("ca=/nonexistent", "manifest", server.name + "/a:1").fails("registry", "authorities' certificates cannot be read")


@test
def plain_http_is_not_spoken_unless_configured(_):
    with Server(ROUTES) as server:
        client("manifest", server.name + "/a:1").fails("registry", "plain http")
        client("manifest", server.name.replace("127.0.0.1", "localhost") + "/a:1").fails("registry", "plain http")
        equal(server.requests, [])
    with secure("good") as server:
        client("plain-http=1", "attempts=1", "manifest", server.name + "/a:1").fails("registry")


@test
def a_redirect_from_tls_to_plain_http_is_refused(_):
    with Server(ROUTES) as plain:
        with secure("good", [("/.*", lambda h: h.answer(302, headers=[("Location", plain.origin + h.path)]))]) as server:
            client(CA, "manifest", server.name + "/a:1").fails("registry", plain.origin, "without TLS")
        equal(plain.requests, [])


@test
def a_token_server_without_tls_is_refused(_):
    with Server([("/.*", lambda h: h.answer(200, b'{"token": "x"}'))]) as plain:
        with secure("good", [("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="{plain.origin}/t"')]))]) as server:
            client(CA, "manifest", server.name + "/a:1", environment=USER).fails("registry", plain.origin, "without TLS")
        equal(plain.requests, [])


@test
def a_token_server_with_a_bad_certificate_gets_nothing(_):
    with secure("other", [("/.*", lambda h: h.answer(200, b'{"token": "x"}'))]) as tokens:
        with secure("good", [("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="{tokens.origin}/t"')]))]) as server:
            client(CA, "manifest", server.name + "/a:1", environment=USER).fails("registry", "its token server", "another name")
        equal(tokens.requests, [])


@test
def a_host_that_does_not_exist(_):
    client("manifest", "no-such-host.invalid/a:1").fails("registry", "no-such-host.invalid", "no such host")


@test
def a_port_that_nobody_listens_on(_):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client("manifest", f"127.0.0.1:{unused.getsockname()[1]}/a:1").fails("registry", "no connection")


@test
def a_server_that_does_not_speak_http(_):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def talk():
            for _ in range(8):
                connection = listener.accept()[0]
                connection.recv(4096)
                connection.sendall(b"220 mail.example ESMTP\r\n")
                connection.close()
        threading.Thread(target=talk, daemon=True).start()
        name = f"127.0.0.1:{listener.getsockname()[1]}"
        client("plain-http=1", "attempts=1", "manifest", name + "/a:1").fails("registry")
        client("attempts=1", "manifest", name + "/a:1").fails("registry", "TLS cannot be agreed on")


@test
def a_proxy_of_the_environment_is_used(_):
    proxied = [("http://elsewhere.invalid/v2/a/.*", lambda h: h.answer(200, b"{}"))]
    with Server(proxied) as proxy:
        client("plain-http=1", "manifest", "elsewhere.invalid/a:1", environment={"http_proxy": proxy.origin}).succeeds()
        client("plain-http=1", "manifest", "elsewhere.invalid/a:1",
               environment={"http_proxy": proxy.origin, "no_proxy": "elsewhere.invalid"}).fails("registry", "no such host")
        equal(len(proxy.requests), 1)


@test
def a_proxy_that_tunnels_sees_no_credentials(_):
    with Server([]) as proxy:
        seen = []

        def connect(handler):
            seen.append(dict(handler.headers))
            handler.send_error(403)
        proxy.http.RequestHandlerClass = type("Proxy", (proxy.http.RequestHandlerClass,), {"do_CONNECT": connect})
        client("attempts=1", "manifest", "elsewhere.invalid/a:1",
               environment={"https_proxy": proxy.origin.replace("//", "//u:SECRET@"), **USER}).fails("registry")
        equal(len(seen), 1)
        check("Authorization" not in seen[0], seen)


@test
def a_proxy_that_refuses_is_told_at_once(_):
    """Not tried again, unless it is in trouble itself."""
    for status, attempts, part in ((407, 1, "wants a user and password"), (403, 1, "does not connect to it (status 403)"),
                                   (502, 2, "does not connect to it (status 502)")):
        with Server([("http://.*", lambda h: h.answer(status))]) as proxy:
            seen = []

            def connect(handler):
                seen.append(handler.path)
                handler.send_error(status)
            proxy.http.RequestHandlerClass = type("Proxy", (proxy.http.RequestHandlerClass,), {"do_CONNECT": connect})
            address = proxy.origin.replace("//", "//u:SECRET@")
            client("attempts=2", "back-off=10", "manifest", "elsewhere.invalid/a:1", environment={"https_proxy": address}).fails("registry", part)
            equal(len(seen), attempts)
            if status == 407:
                client("plain-http=1", "manifest", "elsewhere.invalid/a:1", environment={"http_proxy": address}).fails("registry", part)


@test
def an_address_of_a_proxy_that_cannot_be_is_not_shown(_):
    for address in ("ftp://u:SECRET@127.0.0.1:1", "http://u:SECRET@127.0.0.1:99999999", "http://u:SEC@SECRET@127.0.0.1:1"):
        client("manifest", "elsewhere.invalid/a:1", environment={"https_proxy": address}).fails("registry", "https_proxy in the environment")
