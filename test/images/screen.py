"""A terminal of a few control sequences, which remembers what scrolled off."""
import re


class Screen:
    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.gone, self.lines = [], [""]
        self.row = self.column = 0  # row: in self.lines
        self.frames = 0             # how often the cursor went up
        self.widest = self.most = 0

    def put(self, character):
        if self.column == self.columns:
            self.column = 0
            self.down()
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
        self.column += 1
        self.widest = max(self.widest, self.column)

    def down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")
        if len(self.lines) > self.rows:
            self.gone.append(self.lines.pop(0))
            self.row -= 1
        self.most = max(self.most, len(self.lines))

    def feed(self, data):
        for part in re.findall(r"\x1b\[\d*[A-Za-z]|.|\n|\r", data, re.S):
            if part == "\n":
                self.down()
            elif part == "\r":
                self.column = 0
            elif part.endswith("A") and part[0] == "\x1b":
                count = int(part[2:-1])
                assert count <= self.row, f"the cursor goes up {count} of {self.row} lines"
                self.row -= count
                self.frames += 1
            elif part == "\x1b[K":
                self.lines[self.row] = self.lines[self.row][:self.column]
            elif part == "\x1b[J":
                self.lines[self.row] = self.lines[self.row][:self.column]
                del self.lines[self.row + 1:]
            else:
                assert part >= " ", f"what is {part!r}?"
                self.put(part)

    @property
    def shown(self):
        return [line.rstrip() for line in self.gone + self.lines if line.strip()]
