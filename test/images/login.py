"""coracle login and logout. Run by login.sh."""
import base64
import json
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time
import urllib.parse

from hostile import Server, certificates, error
from tap import CLIENT, Result, check, client, equal, main, start, test

BASIC = "Basic " + base64.b64encode(b"me:SECRET").decode()
ENTRY = {"auth": base64.b64encode(b"me:SECRET").decode()}
LOGIN = ("login", "--plain-http", "-u", "me", "--password-stdin")


def guarded(handler):
    if handler.headers["Authorization"] == BASIC:
        handler.answer(200, b"{}")
    else:
        handler.answer(401, error("UNAUTHORIZED", "who is there?"), [("WWW-Authenticate", 'Basic realm="x"')])


def registry():
    return Server([("/v2/", guarded)])


def run(*arguments, stdin=b"SECRET\n", environment=None):
    process = start(*arguments, environment=environment, stdin=subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=60)
    return Result(process.returncode, out, err.decode(errors="replace"))


def read(path):
    equal(os.stat(path).st_mode & 0o7777, 0o600)
    with open(path) as file:
        return json.load(file)


@test
def a_password_is_tried_and_kept(folder):
    with registry() as server:
        result = run(*LOGIN, server.name, environment={"XDG_RUNTIME_DIR": folder}).succeeds()
        file = f"{folder}/containers/auth.json"
        equal(result.out.decode(), f"login succeeded: {server.name} as me; password stored in {file}\n")
        equal(result.err, "")
        equal(read(file), {"auths": {server.name: ENTRY}})
        equal([r.headers["Authorization"] for r in server.requests], [None, BASIC])
        equal([r.path for r in server.requests], ["/v2/", "/v2/"])
        equal(os.listdir(f"{folder}/containers"), ["auth.json"])


@test
def for_a_namespace_and_beside_others(folder):
    file = f"{folder}/auth.json"
    with open(file, "w") as out:
        out.write('{"auths": {"other.example": {"auth": "eDp5"}}, "kept": [1.50]}')
    with registry() as server:
        for end in (b"", b"\n", b"\r\n"):
            run(*LOGIN, "--authfile", file, server.name + "/group", stdin=b"SECRET" + end).succeeds()
        run(*LOGIN, server.name, environment={"REGISTRY_AUTH_FILE": file}).succeeds()
        equal(read(file), {"auths": {"other.example": {"auth": "eDp5"}, server.name + "/group": ENTRY, server.name: ENTRY},
                           "kept": [1.50]})


@test
def what_is_refused_is_not_kept(folder):
    file = f"{folder}/auth.json"
    with registry() as server:
        result = run(*LOGIN, "--authfile", file, server.name, stdin=b"SECRETwrong\n")
        result.fails("registry-denied", "user me with the password from --password-stdin is not let in", "who is there?")
        equal((result.out, os.listdir(folder)), (b"", []))
        run(*LOGIN, "--authfile", file, server.name).succeeds()
        run(*LOGIN, "--authfile", file, server.name, stdin=b"SECRETwrong").fails("registry-denied")
        equal(read(file), {"auths": {server.name: ENTRY}})
    run(*LOGIN, "--authfile", file, server.name).fails("registry", "no connection")
    equal(read(file), {"auths": {server.name: ENTRY}})


@test
def a_password_on_the_command_line_is_refused(folder):
    with registry() as server:
        for arguments in (("-p", "SECRET"), ("-pSECRET",), ("--password", "SECRET"), ("--password=SECRET",)):
            client("login", "--plain-http", "-u", "me", *arguments, "--authfile", folder + "/x", server.name).fails(
                "usage", "can be read by everybody", "--password-stdin")
        equal(server.requests, [])


@test
def standard_input_has_one_line(folder):
    with registry() as server:
        for text in (b"", b"\n", b"\nSECRET", b"SECRET\nx", b"SECRET\n\n", b"SEC\0RET\n", b"x" * 20000, b"\r\n"):
            run(*LOGIN, "--authfile", folder + "/x", server.name, stdin=text).fails("credentials", "the password: ", "one line")
        run("login", "--password-stdin", "--authfile", folder + "/x", server.name).fails("usage", "needs --username")
        run("login", "-u", "me", "--authfile", folder + "/x", server.name).fails("usage", "no terminal", "--password-stdin")
        run(*LOGIN, "--authfile", folder + "/x", server.name, stdin=b"SECRET\x1b").fails("credentials", "control character")
        equal((server.requests, os.listdir(folder)), ([], []))


@test
def names_that_are_no_registry_are_refused(folder):
    for bad in ("ghcr", "https://ghcr.io", "docker://ghcr.io", "ghcr.io/", "ghcr.io/UPPER", "", "ghcr.io:x", "ghcr.io/a:b", "me:SECRET@ghcr.io", "a b.c"):
        run(*LOGIN, "--authfile", folder + "/x", bad).fails("usage", "HOST[:PORT][/NAMESPACE]")
        run("logout", "--authfile", folder + "/x", bad).fails("usage", "HOST[:PORT][/NAMESPACE]")
    for arguments in ((), ("a.b", "c.d")):
        run(*LOGIN, *arguments).fails("usage", "coracle login --help")
        run("logout", *arguments).fails("usage", "coracle logout --help")
    run("logout", "--all", "a.b").fails("usage", "coracle logout --help")


class Tokens:
    """A registry and its token server, which has MEMBERS beside the token."""

    def __init__(self, members):
        self.members = members
        self.server = Server([("/token", self.issue), ("/v2/", self.registry)])

    def issue(self, handler):
        if handler.headers["Authorization"] == BASIC or b"refresh_token=SECRETidentity" in handler.body:
            handler.answer(200, json.dumps({"token": "SECRETbearer", **self.members}).encode())
        else:
            handler.answer(401)

    def registry(self, handler):
        if handler.headers["Authorization"] == "Bearer SECRETbearer":
            handler.answer(200, b"{}")
        else:
            handler.answer(401, headers=[("WWW-Authenticate", f'Bearer realm="{self.server.origin}/token",service="x"')])


@test
def a_token_is_kept_in_place_of_the_password(folder):
    file = f"{folder}/auth.json"
    with Tokens({"refresh_token": "SECRETidentity"}).server as server:
        result = run(*LOGIN, "--authfile", file, server.name).succeeds()
        equal(result.out.decode(), f"login succeeded: {server.name} as me; token stored in {file}\n")
        equal(read(file), {"auths": {server.name: {"auth": base64.b64encode(b"me:").decode(), "identitytoken": "SECRETidentity"}}})
        query = urllib.parse.parse_qs(server.to("^/token")[0].path.partition("?")[2])
        equal(query, {"service": ["x"], "offline_token": ["true"], "client_id": ["coracle"]})
        check(all("SECRET" not in r.path for r in server.requests), "in an address")


@test
def a_token_server_without_such_or_with_a_strange_one(folder):
    for number, members in enumerate(({}, {"refresh_token": ""}, {"refresh_token": "a b"}, {"refresh_token": 5}, {"refresh_token": "x" * 50000})):
        file = f"{folder}/{number}"
        with Tokens(members).server as server:
            run(*LOGIN, "--authfile", file, server.name).succeeds()
            equal(read(file), {"auths": {server.name: ENTRY}})
            run(*LOGIN, "--authfile", file + "w", server.name, stdin=b"SECRETwrong").fails("registry-denied")
            check(not os.path.exists(file + "w"), "it was kept")


@test
def a_registry_that_lets_everybody_in_says_nothing(folder):
    file = f"{folder}/auth.json"
    with Server([("/v2/", lambda h: h.answer(200, b"{}"))]) as server:
        result = run(*LOGIN, "--authfile", file, server.name).succeeds()
        check("warning: " in result.err and "cannot be said" in result.err, result.err)
        equal(result.out.decode(), f"not tried: {server.name} as me; password stored in {file}\n")
        equal([r.headers["Authorization"] for r in server.requests], [None])
        equal(read(file), {"auths": {server.name: ENTRY}})


@test
def a_redirect_to_another_host_gets_nothing(folder):
    with Server([("/.*", lambda h: h.answer(401, headers=[("WWW-Authenticate", "Basic realm=x")]))]) as other:
        with Server([("/v2/", lambda h: h.answer(302, headers=[("Location", other.origin + "/v2/")]))]) as server:
            run(*LOGIN, "--authfile", folder + "/x", server.name).fails("registry", "redirects to")
        check(other.requests and all(r.headers["Authorization"] is None for r in other.requests), "it got credentials")
    equal(os.listdir(folder), [])


@test
def a_file_that_belongs_to_a_helper_is_refused_at_once(folder):
    file = f"{folder}/auth.json"
    with registry() as server:
        for text in (json.dumps({"credsStore": "keys"}), json.dumps({"credHelpers": {server.name: "keys"}})):
            with open(file, "w") as out:
                out.write(text)
            run(*LOGIN, "--authfile", file, server.name + "/n", stdin=b"").fails("credentials", "docker-credential-keys", "--authfile")
            run("logout", "--authfile", file, server.name).fails("credentials", "docker-credential-keys")
        run(*LOGIN, server.name, stdin=b"").fails("credentials", "XDG_RUNTIME_DIR is not set", "--authfile")
        with open(file, "w") as out:
            out.write("{")
        run(*LOGIN, "--authfile", file, server.name, stdin=b"").fails("credentials", "line 1")
        equal(server.requests, [])


@test
def tls_is_the_rule(folder):
    certificates(folder)
    options = ("-u", "me", "--password-stdin", "--authfile", folder + "/auth.json")
    with Server([("/v2/", guarded)], certificate=folder + "/good") as server:
        run("login", *options, server.name).fails("registry", "nobody who is trusted here")
        run("login", *options, "--ca-file", folder + "/ca.pem", server.name).succeeds()
    with registry() as server:
        run("login", *options, server.name).fails("registry", "plain http")
        equal(server.requests, [])


@test
def nobody_else_sees_it(folder):
    """Neither the command line nor the environment of the process holds it while the registry answers."""
    seen = []

    def look(handler):
        with open(f"/proc/{process.pid}/cmdline", "rb") as line, open(f"/proc/{process.pid}/environ", "rb") as environment:
            seen.append(line.read() + environment.read())
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
            equal(children.read(), "")
        guarded(handler)
    with Server([("/v2/", look)]) as server:
        process = start(*LOGIN, "--authfile", folder + "/x", server.name, stdin=subprocess.PIPE)
        _, err = process.communicate(b"SECRET\n", timeout=60)
        equal((process.returncode, err), (0, b""))
    equal(len(seen), 2)
    check(all(b"login" in text and b"SECRET" not in text and b"U0VDUkVU" not in text for text in seen), seen)


@test
def who_reads_meanwhile_reads_all_or_nothing(folder):
    file, reads, stop = f"{folder}/auth.json", [0], threading.Event()

    def look():
        while not stop.is_set():
            if os.path.exists(file):
                read(file)
                reads[0] += 1
    with registry() as server:
        run(*LOGIN, "--authfile", file, server.name).succeeds()
        problems = []
        thread = threading.Thread(target=lambda: problems.append(None) if look() else None)
        thread.start()
        for number in range(20):
            run(*LOGIN, "--authfile", file, f"{server.name}/n{number}").succeeds()
        alive = thread.is_alive()
        stop.set()
        thread.join()
        check(alive and reads[0] > 20, f"{reads[0]} reads")
        equal(len(read(file)["auths"]), 21)
        equal(os.listdir(folder), ["auth.json"])


@test
def many_at_once_are_all_kept(folder):
    file, count = f"{folder}/new/auth.json", 12
    arrived = threading.Barrier(count)

    def meet(handler):
        if handler.headers["Authorization"]:
            arrived.wait(timeout=60)
        guarded(handler)
    with Server([("/v2/", meet)]) as server:
        jobs = [start(*LOGIN, "--authfile", file, f"{server.name}/n{number}", stdin=subprocess.PIPE)
                for number in range(count)]
        for job in jobs:
            job.stdin.write(b"SECRET\n")
            job.stdin.close()
        for job in jobs:
            equal(job.wait(timeout=60), 0)
            job.stdout.close()
            job.stderr.close()
        equal(sorted(read(file)["auths"]), sorted(f"{server.name}/n{number}" for number in range(count)))
        # Half of them out again, while another comes in.
        server.http.routes[:] = [("/v2/", guarded)]
        jobs = [start("logout", "--authfile", file, f"{server.name}/n{number}") for number in range(0, count, 2)]
        run(*LOGIN, "--authfile", file, f"{server.name}/more").succeeds()
        for job in jobs:
            job.communicate(timeout=60)
            equal(job.returncode, 0)
        equal(sorted(read(file)["auths"]),
              sorted([f"{server.name}/more"] + [f"{server.name}/n{number}" for number in range(1, count, 2)]))
    equal(os.listdir(f"{folder}/new"), ["auth.json"])


# Logging out


@test
def logout_takes_it_away(folder):
    file = f"{folder}/auth.json"
    with registry() as server:
        for name in (server.name, server.name + "/n"):
            run(*LOGIN, "--authfile", file, name).succeeds()
        asked = len(server.requests)
        result = run("logout", "--authfile", file, server.name + "/n").succeeds()
        equal(result.out.decode(), f"logged out of {server.name}/n; removed from {file}\n")
        check(f"credentials for {server.name} remain in {file}" in result.err, result.err)
        equal(run("logout", "--authfile", file, server.name).succeeds().err, "")
        equal(read(file), {"auths": {}})
        result = run("logout", "--authfile", file, server.name)
        result.fails("credentials", f"no credentials for {server.name} in {file}")
        equal(len(server.requests), asked)
    run("logout", "--authfile", folder + "/none", "a.example").fails("credentials", "no credentials for a.example")
    equal(os.listdir(folder), ["auth.json"])


@test
def logout_of_all(folder):
    with registry() as server:
        environment = {"XDG_RUNTIME_DIR": folder}
        for name in (server.name, server.name + "/n"):
            run(*LOGIN, name, environment=environment).succeeds()
        result = run("logout", "--all", environment=environment).succeeds()
        check(b"logged out of all registries" in result.out, result.out)
        equal(read(folder + "/containers/auth.json"), {"auths": {}})
        run("logout", "-a", environment=environment).fails("credentials", "no credentials for any registry")


@test
def what_another_program_keeps_is_told(folder):
    os.mkdir(folder + "/docker")
    with open(folder + "/docker/config.json", "w") as file:
        json.dump({"auths": {"https://index.docker.io/v1/": ENTRY}}, file)
    environment = {"XDG_RUNTIME_DIR": folder, "DOCKER_CONFIG": folder + "/docker"}
    result = run("logout", "docker.io", environment=environment)
    result_error = [line for line in result.err.splitlines() if "warning" in line]
    check(len(result_error) == 1 and f"remain in {folder}/docker/config.json" in result_error[0], result.err)
    result.fails("credentials", "no credentials for docker.io")


# On a terminal


class Terminal:
    """coracle-image with a terminal of its own as standard input, output and error."""

    def __init__(self, *arguments):
        keep = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(CLIENT, [CLIENT, *arguments], keep)
        self.shown = b""

    def until(self, text):
        until = time.monotonic() + 20
        while text not in self.shown:
            check(time.monotonic() < until, f"{text!r} is not shown", self.shown)
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.terminal, 4096)
                except OSError:
                    check(False, f"{text!r} is not shown", self.shown)
        self.shown = self.shown[self.shown.index(text) + len(text):]

    def type(self, text):
        os.write(self.terminal, text)

    def has_echo(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def wait_for_echo(self, wanted):
        until = time.monotonic() + 20
        while self.has_echo() != wanted:
            check(time.monotonic() < until, f"echo is not {wanted}")
            time.sleep(0.01)

    def wait(self, options=0):
        """Its state; what else it shows is in .shown."""
        until = time.monotonic() + 20
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG | options)
            if pid:
                break
            check(time.monotonic() < until, "it does not end", self.shown)
            self.drain(0.05)
        self.drain(0)
        return status

    def drain(self, seconds):
        try:
            while select.select([self.terminal], [], [], seconds)[0]:
                self.shown += os.read(self.terminal, 4096)
                seconds = 0
        except OSError:
            pass


@test
def on_a_terminal_it_asks_without_echo(folder):
    with registry() as server:
        terminal = Terminal("login", "--plain-http", "--authfile", folder + "/x", server.name)
        terminal.until(b"User: ")
        check(terminal.has_echo(), "the name is not shown")
        terminal.type(b"me\n")
        terminal.until(b"Password: ")
        terminal.wait_for_echo(False)
        terminal.type(b"SECRET\n")
        equal(terminal.wait(), 0)
        check(b"login succeeded" in terminal.shown and b"SECRET" not in terminal.shown, terminal.shown)
        check(terminal.has_echo(), "the terminal stays silent")
        equal(read(folder + "/x"), {"auths": {server.name: ENTRY}})


@test
def on_a_terminal_password_stdin_has_no_echo_either(folder):
    with registry() as server:
        terminal = Terminal(*LOGIN, "--authfile", folder + "/x", server.name)
        terminal.until(b"Password: ")
        terminal.wait_for_echo(False)
        terminal.type(b"SECRET\n")
        equal(terminal.wait(), 0)
        check(b"SECRET" not in terminal.shown, terminal.shown)


@test
def a_signal_leaves_the_terminal_as_it_was(folder):
    hits = 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        with registry() as server:
            terminal = Terminal("login", "-u", "me", "--authfile", folder + "/x", server.name)
            terminal.until(b"Password: ")
            terminal.wait_for_echo(False)
            if number == signal.SIGINT:
                terminal.type(b"SECR\x03")
            else:
                os.kill(terminal.pid, number)
            status = terminal.wait()
            equal((os.WIFSIGNALED(status), os.WTERMSIG(status)), (True, number))
            check(terminal.has_echo() and b"SECR" not in terminal.shown, terminal.shown)
            equal(server.requests, [])
            hits += 1
    equal((hits, os.listdir(folder)), (4, []))


@test
def stopped_and_continued_it_asks_again(folder):
    """As in a shell: a session of its own, in which the child is a job."""
    with registry() as server:
        terminal = Terminal.__new__(Terminal)
        keep = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        report, told = os.pipe()
        terminal.pid, terminal.terminal = pty.fork()
        if terminal.pid == 0:
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                os.tcsetpgrp(0, os.getpid())
                signal.signal(signal.SIGTTOU, signal.SIG_DFL)
                os.execve(CLIENT, [CLIENT, "login", "--plain-http", "-u", "me", "--authfile", folder + "/x", server.name], keep)
            while True:
                _, status = os.waitpid(job, os.WUNTRACED)
                os.write(told, b"s" if os.WIFSTOPPED(status) else b"e")
                if not os.WIFSTOPPED(status):
                    os._exit(os.waitstatus_to_exitcode(status) & 255)
                time.sleep(0.3)
                os.kill(job, signal.SIGCONT)
        terminal.shown = b""
        terminal.until(b"Password: ")
        terminal.wait_for_echo(False)
        terminal.type(b"\x1a")
        equal(os.read(report, 1), b"s")
        check(terminal.has_echo(), "stopped, the terminal is silent")
        terminal.until(b"Password: ")
        terminal.wait_for_echo(False)
        terminal.type(b"SECRET\n")
        equal(terminal.wait(), 0)
        equal(os.read(report, 1), b"e")
        os.close(report)
        os.close(told)
        equal(read(folder + "/x"), {"auths": {server.name: ENTRY}})


@test
def an_empty_password_is_none(folder):
    with registry() as server:
        for typed in (b"\n", b"\x04"):
            terminal = Terminal("login", "-u", "me", "--authfile", folder + "/x", server.name)
            terminal.until(b"Password: ")
            terminal.wait_for_echo(False)
            terminal.type(typed)
            equal(os.waitstatus_to_exitcode(terminal.wait()), 125)
            check(b"error: the password: " in terminal.shown, terminal.shown)
        equal(server.requests, [])


if __name__ == "__main__":
    main()
