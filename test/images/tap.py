"""Tests that print TAP: functions with @test, run in their order."""
import os
import subprocess
import sys
import tempfile
import traceback

CLIENT = os.environ.get("REGISTRY_CLIENT", "test/images/registry-client")
tests = []


class Failure(Exception):
    pass


def test(function):
    tests.append(function)
    return function


def check(holds, *details):
    if not holds:
        raise Failure("\n".join(str(detail) for detail in details))


def equal(got, expected):
    check(got == expected, f"got       {got!r}", f"expected  {expected!r}")


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def succeeds(self):
        check(self.status == 0, f"status {self.status}", self.err)
        return self

    def fails(self, identifier, *parts):
        """With one error, which has these parts and none of what is secret in the tests."""
        errors = [line for line in self.err.splitlines() if line.startswith("coracle: error: ")]
        check(self.status == 125 and len(errors) == 1, f"status {self.status}", self.err)
        check(errors[0].endswith(f" [{identifier}]"), errors[0])
        for part in parts:
            check(part in errors[0], errors[0], f"lacks {part!r}")
        check("SECRET" not in self.err and "U0VDUkVU" not in self.err, self.err)
        return self


def start(*arguments, environment=None, within=(), **more):
    """WITHIN: a command that executes the client."""
    keep = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "HOME") if name in os.environ}
    return subprocess.Popen([*within, CLIENT, *arguments], env={**keep, **(environment or {})}, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **more)


def client(*arguments, environment=None, within=(), **more):
    process = start(*arguments, environment=environment, within=within, **more)
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise Failure("the client did not end within a minute\n" + err.decode(errors="replace"))
    return Result(process.returncode, out, err.decode(errors="replace"))


def main():
    only = sys.argv[1:]
    failed = 0
    chosen = [t for t in tests if not only or any(part in t.__name__ for part in only)]
    print(f"1..{len(chosen)}")
    for number, function in enumerate(chosen, 1):
        name = function.__name__.replace("_", " ")
        details = ""
        with tempfile.TemporaryDirectory(prefix="coracle-test-") as folder:
            try:
                function(folder)
            except Failure as failure:
                details = str(failure)
            except Exception:  # of the test itself
                details = traceback.format_exc()
        failed += bool(details)
        print(f"{'not ok' if details else 'ok'} {number} - {name}")
        for line in details.splitlines():
            print("# " + line)
        sys.stdout.flush()
    sys.exit(bool(failed))
