"""What a pull shows. Run by progress.sh."""
import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import termios
import time

from screen import Screen
from tap import CLIENT, check, equal, main, test

A, B, C = ("sha256:" + letter * 64 for letter in "abc")
MIB = 1 << 20
DONE = f"made app.sqfs, 10.0 MiB, of {C}"


def environment(**more):
    keep = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
    return {**keep, "TERM": "xterm", **more}


class Terminal:
    """The program with a terminal of ROWS and COLUMNS as standard error."""

    def __init__(self, rows=24, columns=80, *arguments, **more):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(rows or 24, columns or 80)
        self.process = subprocess.Popen([CLIENT, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=slave,
                                        env=environment(**more))
        os.close(slave)
        self.raw = ""

    def say(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in lines).encode())
        self.process.stdin.flush()
        return self

    def take(self, seconds):
        """What comes until SECONDS are over, or the other end is closed."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not select.select([self.master], [], [], 0.02)[0]:
                continue
            try:
                data = os.read(self.master, 65536).decode()
            except OSError:
                break
            self.raw += data
            self.screen.feed(data)

    def until(self, text, seconds=20):
        until = time.monotonic() + seconds
        while not any(text in line for line in self.screen.shown):
            check(time.monotonic() < until, f"{text!r} is not shown", "\n".join(self.screen.shown))
            self.take(0.05)

    def end(self):
        self.process.stdin.close()
        self.take(20)
        self.process.wait()
        os.close(self.master)
        self.process.stdout.close()
        return self.screen.shown


@test
def layers_have_a_line_each(_):
    terminal = Terminal().say(f"layers 1 {A} {MIB} {B} {4 * MIB}", "fetched 1 0", "sleep 150", f"fetched 1 {MIB // 2}")
    terminal.until("50%")
    lines = terminal.screen.shown
    equal(len(lines), 3)
    check(lines[0].startswith("a" * 12 + "   50%  512.0 KiB of 1.0 MiB"), lines)
    check(lines[1].startswith("b" * 12) and "waits" in lines[1], lines)
    check(lines[2].startswith("0 of 2") and "10%  512.0 KiB of 5.0 MiB" in lines[2], lines)
    terminal.say("there 2", "sleep 150", f"fetched 1 {MIB}")
    terminal.until("2 of 2")
    check("100%  fetched" in terminal.screen.shown[0] and "100%  was here" in terminal.screen.shown[1], terminal.screen.shown)
    equal(terminal.screen.column, 0)
    terminal.say("flatten", "sleep 150", f"flattened {2 * MIB}")
    terminal.until("flattens")
    terminal.until("40%  2.0 MiB of 5.0 MiB")
    equal(len(terminal.screen.shown), 1)
    terminal.say("writing app.sqfs")
    terminal.until("completes the image")
    terminal.say(f"done app.sqfs {10 * MIB} {C}")
    equal("".join(terminal.end()), DONE)
    equal(terminal.process.returncode, 0)


@test
def the_speed_is_that_of_late(_):
    """What was there from before is not fetched now."""
    terminal = Terminal().say(f"layers 0 {A} {1000 * MIB}", f"fetched 0 {500 * MIB}")
    for step in range(1, 8):
        terminal.say("sleep 250", f"fetched 0 {(500 + step) * MIB}")
    terminal.until("507.0 MiB of 1000.0 MiB")
    speed = float(terminal.screen.shown[0].split()[-2])
    check(terminal.screen.shown[0].endswith("MiB/s") and 1 < speed < 5, terminal.screen.shown)
    terminal.end()


@test
def at_most_ten_times_a_second(_):
    terminal = Terminal().say("layers 0 " + " ".join(f"{d} {MIB}" for d in (A, B, C)))
    terminal.take(0.2)
    begin, frames = time.monotonic(), terminal.screen.frames
    terminal.say(*[line for step in range(1000) for line in (f"fetched {step % 3} {step * 1000}", "sleep 1")], "sleep 150", f"fetched 0 {MIB}")
    terminal.until("1 of 3")
    passed, drawn = time.monotonic() - begin, terminal.screen.frames - frames
    check(5 <= drawn <= passed * 10 + 2, f"{drawn} times in {passed} seconds")
    equal(terminal.end(), [])


@test
def narrow_and_low_terminals(_):
    """With more layers than lines, too; nothing wraps, nothing is left, nothing scrolls away."""
    digests = ["sha256:" + f"{i:02d}" * 32 for i in range(30)]
    for rows, columns in ((24, 80), (5, 20), (3, 10), (2, 2), (4, 200), (0, 0), (2, 80), (1, 80), (24, 1)):
        terminal = Terminal(rows, columns).say("layers 1 " + " ".join(f"{d} {MIB}" for d in digests))
        for step in range(12):
            terminal.say(*[f"fetched {1 + i} {step * 80000}" for i in range(step, step + 8)], "sleep 110")
        terminal.say("flatten", f"flattened {MIB}", "sleep 120", f"flattened {2 * MIB}", "writing x", "sleep 50")
        equal(terminal.end(), [])
        screen = terminal.screen
        check(screen.widest <= max(1, screen.columns - 1), f"{rows}x{columns}: {screen.widest} columns")
        equal([line for line in screen.gone if line.strip()], [])
        check(screen.frames > 8 if screen.rows > 1 and screen.columns > 1 else terminal.raw == "", f"{rows}x{columns}: {screen.frames} frames")


@test
def where_not_all_have_a_line_those_on_their_way_do(_):
    digests = ["sha256:" + f"{i:02d}" * 32 for i in range(30)]
    terminal = Terminal(6, 80).say("layers 0 " + " ".join(f"{d} {MIB}" for d in digests))
    terminal.say("fetched 0 0", f"fetched 0 {MIB}", "fetched 7 5", "fetched 9 5", "sleep 150", "fetched 7 6")
    terminal.until("1 of 30")
    equal([line[:2] for line in terminal.screen.shown], ["07", "09", "1 "])
    terminal.say(*[f"fetched {i} 5" for i in range(10, 20)], "sleep 150", "fetched 7 7")
    terminal.until("10")
    equal([line[:2] for line in terminal.screen.shown], ["07", "09", "10", "11", "1 "])
    terminal.end()


@test
def messages_come_out_above(_):
    terminal = Terminal(6, 60).say(f"layers 0 {A} {MIB} {B} {MIB}")
    for number in range(8):
        terminal.say("sleep 110", f"fetched 0 {number}", f"warn number {number} " + "x" * number * 12)
    terminal.say("sleep 110", "fetched 0 99")
    terminal.until("99 B of")
    warnings = "".join(terminal.screen.gone + terminal.screen.lines)
    for number in range(8):
        equal(warnings.count(f"coracle: warning: number {number}"), 1)
    equal([line[:1] for line in terminal.screen.shown[-3:]], ["a", "b", "0"])
    terminal.say("failed it has ended")
    shown = terminal.end()
    equal(shown[-1], "coracle: error: it has ended [registry]")
    check(not any(line[:1] in "ab0" for line in shown), shown)


@test
def many_threads_at_once(_):
    digests = ["sha256:" + f"{i:02d}" * 32 for i in range(16)]
    terminal = Terminal(30, 80).say("layers 1 " + " ".join(f"{d} {MIB}" for d in digests), "threads 16")
    shown = terminal.end()
    equal(sorted(shown), sorted(f"coracle: warning: layer {i} is half here" for i in range(16)))
    check(terminal.screen.frames >= 3, terminal.screen.frames)


@test
def killed_it_leaves_a_line_to_write_on(_):
    hits = 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        terminal = Terminal().say(f"layers 0 {A} {MIB}", "fetched 0 5")
        terminal.until("0 of 1")
        terminal.process.send_signal(number)
        terminal.end()
        equal(terminal.process.returncode, -number)
        equal((terminal.screen.column, terminal.screen.lines[terminal.screen.row]), (0, ""))
        check(terminal.raw.endswith("\n"), terminal.raw[-40:])
        hits += 1
    equal(hits, 3)


@test
def quiet_where_nobody_looks(_):
    script = [f"layers 0 {A} {MIB}", "fetched 0 5", f"done x 5 {A}"]
    for arguments, more in ((("quiet",), {}), ((), {"TERM": "dumb"}), ((), {"TERM": ""})):
        terminal = Terminal(24, 80, *arguments, **more).say(*script)
        terminal.end()
        equal(terminal.raw, "")
    result = subprocess.run([CLIENT], input="\n".join(script).encode(), capture_output=True, env=environment())
    equal((result.returncode, result.stdout, result.stderr), (0, b"", b""))


def events(*script, **more):
    result = subprocess.run([CLIENT, "json"], input=("\n".join(script) + "\n").encode(errors="surrogateescape"), capture_output=True,
                            env=environment(), **more)
    equal(result.returncode, 0)
    return result.stdout.decode(), result.stderr.decode()


@test
def events_one_a_line(_):
    """Golden: programs read this."""
    out, err = events(f"resolved docker.io/library/app:1 {C} linux/amd64", f"layers 1 {A} 100 {B} 200", "fetched 0 7", "fetched 1 0",
                      "fetched 1 100", "there 2", "flatten", "flattened 300", "writing app.sqfs", f"done app.sqfs 5000 {C}")
    equal(out, f"""\
{{"event":"resolved","image":"docker.io/library/app:1","digest":"{C}","platform":"linux/amd64"}}
{{"event":"layer","index":0,"digest":"{A}","size":100,"state":"wanted"}}
{{"event":"layer","index":1,"digest":"{B}","size":200,"state":"wanted"}}
{{"event":"progress","index":0,"digest":"{A}","bytes":0,"size":100}}
{{"event":"layer","index":0,"digest":"{A}","size":100,"state":"fetched"}}
{{"event":"layer","index":1,"digest":"{B}","size":200,"state":"there"}}
{{"event":"flattening","bytes":0,"size":300}}
{{"event":"writing","path":"app.sqfs"}}
{{"event":"done","path":"app.sqfs","size":5000,"digest":"{C}"}}
""")
    equal(err, "")


@test
def of_a_source_of_unknown_size_the_bytes_are_told(_):
    out, _ = events("flatten", "sleep 300", "flattened 300")
    equal([json.loads(line) for line in out.splitlines()], [{"event": "flattening", "bytes": 0}, {"event": "flattening", "bytes": 300}])


@test
def a_layer_that_is_there_twice_comes_once(_):
    out, _ = events(f"layers 0 {A} 100 {B} 200 {A} 100", "fetched 0 0", "fetched 0 100")
    fetched = [json.loads(line) for line in out.splitlines() if "fetched" in line]
    equal([event["index"] for event in fetched], [0, 2])


@test
def a_layer_that_was_whole_before_was_there(_):
    out, _ = events(f"layers 0 {A} 100 {B} 0", "fetched 0 100", "fetched 1 0")
    equal([json.loads(line)["state"] for line in out.splitlines()], ["wanted", "wanted", "there", "there"])


@test
def events_are_not_more_than_four_a_second(_):
    out, _ = events(f"layers 0 {A} 100000", *[line for step in range(100) for line in (f"fetched 0 {step}", f"flattened {step}", "sleep 5")])
    for name in ("progress", "flattening"):
        count = sum(json.loads(line)["event"] == name for line in out.splitlines())
        check(2 <= count <= 5, f"{count} of {name}")


@test
def names_cannot_break_events(_):
    name = 'a"b\\c\x1b[31m\x7f\u202e\xe9'
    out, err = events(f"writing {name}", "writing \udcff", f"failed no \x1b \"room\" \\", f"layers 0 {name.replace(' ', '')} 5")
    lines = [json.loads(line) for line in out.splitlines()]
    equal(len(lines), 4)
    equal(lines[0], {"event": "writing", "path": name})
    equal(lines[1], {"event": "writing", "path": "\ufffd", "path_base64": "/w=="})
    equal(lines[2], {"event": "error", "id": "registry", "message": 'no \x1b "room" \\'})
    check("\x1b" not in out and "\x7f" not in out, out)
    check("coracle: error: no \\x1b" in err, err)


@test
def when_nobody_reads_events_the_work_goes_on(folder):
    reader, writer = os.pipe()
    os.close(reader)
    script = f"layers 0 {A} 5\nfetched 0 5\nflatten\nwarn the end\n".encode()
    result = subprocess.run([CLIENT, "json"], input=script, stdout=writer, stderr=subprocess.PIPE, env=environment())
    os.close(writer)
    equal(result.returncode, 0)
    lines = result.stderr.decode().splitlines()
    equal(len(lines), 2)
    check("--json cannot be written" in lines[0] and lines[1] == "coracle: warning: the end", lines)
    with open("/dev/full", "wb") as full:
        result = subprocess.run([CLIENT, "json"], input=script, stdout=full, stderr=subprocess.PIPE, env=environment())
    equal((result.returncode, len(result.stderr.splitlines())), (0, 2))


@test
def events_of_many_threads_are_whole(_):
    digests = ["sha256:" + f"{i:02d}" * 32 for i in range(16)]
    out, err = events("layers 1 " + " ".join(f"{d} {MIB}" for d in digests), "threads 16")
    lines = [json.loads(line) for line in out.splitlines()]
    equal(sorted(e["index"] for e in lines if e.get("state") == "fetched"), list(range(16)))
    check(sum(e["event"] == "progress" for e in lines) >= 16, len(lines))
    equal(err.count("half here"), 16)


if __name__ == "__main__":
    main()
