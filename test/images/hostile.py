"""A registry, token server or proxy that does what a test tells it, and notes what it is asked."""
import copy
import hashlib
import http.server
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest(data, algorithm="sha256"):
    return algorithm + ":" + hashlib.new(algorithm, data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def serve(self):
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length) if length else b""
        with self.server.lock:
            self.number = 1 + sum(1 for r in self.server.requests if r.path == self.path)
            self.server.requests.append(copy.copy(self))  # the next request on the connection has this object too
        path = self.path.split("?")[0]
        for pattern, action in self.server.routes:
            if re.fullmatch(pattern, path):
                action(self)
                return
        self.answer(404, error("NAME_UNKNOWN", "no such thing"))

    do_GET = do_POST = do_HEAD = serve

    def answer(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        if length is not None and length != len(body):
            self.cut()

    def cut(self):
        """Ends the connection with a reset."""
        self.wfile.flush()
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if isinstance(self.connection, ssl.SSLSocket):
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                time.sleep(0.05)
                self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def endless(self, headers=()):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            self.close_connection = True

    def range_start(self):
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(match.group(1)) if match else 0

    def blob(self, data, headers=()):
        """As a server should: with Range."""
        start = self.range_start()
        if start:
            headers = list(headers) + [("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")]
        self.answer(206 if start else 200, data[start:], headers)


def error(code, message):
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class Server:
    """Routes are pairs of a regular expression for the path and what answers."""

    def __init__(self, routes, certificate=None, address="127.0.0.1"):
        self.http = QuietServer((address, 0), Handler)
        self.http.routes = routes
        self.http.requests = []
        self.http.lock = threading.Lock()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate + ".pem", certificate + ".key")
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
        self.name = f"{address}:{self.http.server_address[1]}"
        self.origin = ("https://" if certificate else "http://") + self.name
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    @property
    def requests(self):
        return self.http.requests

    def to(self, pattern):
        return [r for r in self.requests if re.search(pattern, r.path)]


def certificates(folder):
    """An authority and what it has signed: good, expired, for another name; and one that signed itself."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    def key(name):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")

    def sign(name, alternative, *when):
        key(name)
        with open(f"{folder}/{name}.ext", "w") as extensions:
            extensions.write(f"subjectAltName={alternative}\n")
        openssl("req", "-new", "-key", name + ".key", "-subj", "/CN=test", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-extfile", name + ".ext", "-out", name + ".pem", *when)

    key("ca")
    openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=test authority", "-days", "2", "-out", "ca.pem")
    sign("good", "IP:127.0.0.1,DNS:localhost", "-days", "2")
    sign("expired", "IP:127.0.0.1", "-days", "-1")
    sign("other", "DNS:elsewhere.example", "-days", "2")
    key("self")
    openssl("req", "-x509", "-new", "-key", "self.key", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-days", "2", "-out", "self.pem")
