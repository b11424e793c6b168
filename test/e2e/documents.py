"""Runs the code blocks of a document: what can be run here is, and prints what it says.

    documents.py DOCUMENT TABLE     in the folder where the commands are to be run

A block is what stands between ``` or is indented by four blanks. It is commands, one after
the other, each of which must succeed; or, where a line begins with "$ ", commands with what
they print. In that "..." stands for any text, alone on a line for any lines, and runs of
blanks are one. Such a command may fail if it prints what stands there. In documents the user
is alice, and /home/alice the home directory.

TABLE says of what cannot be run here why, a line each:

    DOCUMENT | BEGINNING | HOW | WHY

BEGINNING is that of a command, or of a block for HOW "text" and "toml". HOW:

    text    no commands
    toml    a configuration file: it must be one that can be used
    no      is not run
    debian  is run where TEST_IMAGE_DEBIAN is
    mpi     the same, and mpirun is there

Each line of the table must be of use. Prints a line of TAP diagnostics for what is wrong.
"""
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SECONDS = 60 * int(os.environ.get("CORACLE_TEST_SLOWNESS", "1"))
HOWS = ("text", "toml", "no", "debian", "mpi")


def blocks(path):
    """Pairs of a line's number and the lines of the block that begins there."""
    found, block, fence, was_blank = [], None, None, True
    for number, line in enumerate(open(path, encoding="utf-8").read().split("\n"), 1):
        if fence is not None:
            if line.startswith("```"):
                found.append(fence)
                fence = None
            else:
                fence[1].append(line)
        elif line.startswith("```"):
            fence = (number + 1, [])
        elif line.startswith("    ") and (block or was_blank):
            if not block:
                block = (number, [])
                found.append(block)
            block[1].append(line[4:])
        elif line.strip():
            block = None
        elif block:
            block[1].append("")
        was_blank = not line.strip()
    return [(number, "\n".join(lines).rstrip("\n").split("\n")) for number, lines in found]


def is_complete(text):
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True)
    # A here-document without its end is a warning.
    return done.returncode == 0 and not done.stderr and not text.endswith("\\")


def commands(number, lines):
    """The commands of a block: number of line, text, and what it prints or None."""
    with_output = any(line.startswith("$ ") for line in lines)
    found, text, start = [], None, 0
    for at, line in enumerate(lines, number):
        if text is None and with_output and not line.startswith("$ "):
            found[-1][2].append(line)
            continue
        if text is None and not line.strip():
            continue
        if text is None:
            start = at
        text = line[2:] if text is None and with_output else line if text is None else text + "\n" + line
        if is_complete(text):
            found.append((start, text, [] if with_output else None))
            text = None
    if text is not None:
        raise SystemExit(f"# line {start}: the command has no end")
    return found


def matches(expected, got):
    pattern = ""
    for line in expected:
        words = re.sub(r"[ \t]+", " ", line.rstrip())
        pattern += r"(?:.*\n)*" if words == "..." else ".*".join(map(re.escape, words.split("..."))) + r"\n"
    got = got.replace(os.environ["HOME"], "/home/alice")
    got = re.sub(rf"\b{re.escape(pwd.getpwuid(os.getuid()).pw_name)}\b", "alice", got)
    got = "".join(re.sub(r"[ \t]+", " ", line.rstrip()) + "\n" for line in got.splitlines())
    return re.fullmatch(pattern, got)


class Table:
    def __init__(self, path, document):
        self.rows = []
        for line in open(path, encoding="utf-8"):
            cells = [cell.strip() for cell in line.rstrip("\n").split(" | ")]
            if line.startswith("#") or not line.strip():
                continue
            if len(cells) != 4 or cells[2] not in HOWS or not cells[3]:
                raise SystemExit(f"# {path}: not DOCUMENT | BEGINNING | HOW | WHY: {line}")
            if cells[0] == document:
                self.rows.append({"begins": cells[1], "how": cells[2], "used": False})

    def look_up(self, text, hows):
        for row in self.rows:
            if row["how"] in hows and text.startswith(row["begins"]):
                row["used"] = True
                return row["how"]
        return None


class Shell:
    """One command after the other, with the directory and variables that the one before has left."""

    def __init__(self):
        self.state = tempfile.mkdtemp(dir=os.path.dirname(os.environ["HOME"]))
        self.groups = []
        self.run("true")

    def run(self, text):
        script = ('if [ -e "$0/env" ]; then . "$0/env"; cd "$(cat "$0/cwd")"; fi\n' + text +
                  '\ncode=$?\nexport -p >"$0/env"; pwd >"$0/cwd"; exit $code')
        with open(f"{self.state}/out", "w+b") as out:
            process = subprocess.Popen(["bash", "-c", script, self.state], stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=out, start_new_session=True)
            self.groups.append(process.pid)
            try:
                status = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                status = "none in time"
            out.seek(0)
            return status, out.read().decode("utf-8", "replace")

    def end(self):
        """What still runs in the background."""
        for group in self.groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.state)


def can_run(how):
    debian = bool(os.environ.get("TEST_IMAGE_DEBIAN"))
    return {None: True, "debian": debian, "mpi": debian and bool(shutil.which("mpirun"))}.get(how, False)


def check_toml(lines):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        done = subprocess.run(["coracle", "config", "check", file.name], capture_output=True, text=True)
        return done.stderr if done.returncode else None


def check_command(shell, text, expected):
    status, got = shell.run(text)
    if expected is None:
        return None if status == 0 else f"status {status}\n{got}"
    while expected and not expected[-1].strip():
        expected.pop()
    if not matches(expected, got):
        return f"it prints:\n{got}"
    return None if status == 0 or expected else f"status {status}"


def main():
    path, table_path = sys.argv[1:]
    document = os.path.basename(path)
    table, shell, run, left, failed = Table(table_path, document), Shell(), 0, [], 0
    for number, lines in blocks(path):
        how = table.look_up(lines[0], ("text", "toml"))
        if how:
            wrong = check_toml(lines) if how == "toml" else None
            todo = []
            if wrong:
                failed += 1
                print(f"# {document}:{number}: {wrong}")
        else:
            todo = commands(number, lines)
        for at, text, expected in todo:
            how = table.look_up(text, ("no", "debian", "mpi"))
            if not can_run(how):
                left.append((how, at))
                continue
            run += 1
            wrong = check_command(shell, text, expected)
            if wrong:
                failed += 1
                print(f"# {document}:{at}: {text}\n" + "".join(f"#   {line}\n" for line in wrong.split("\n")))
    shell.end()
    for row in table.rows:
        if not row["used"]:
            failed += 1
            print(f"# {document}: nothing begins with what the table has: {row['begins']}")
    print(f"{run} commands run, {len(left)} not")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
