"""
The ring log of device/micropython as a subject of contract.test.ts: reads commands, prints a line for each.

Arguments: littlefs, to run on that instead of files in memory; another folder to take the ring log from.
"""

import random
import sys

import board
from files_with_cuts import Files, PowerCut

FILE_BYTES = 1024
HAS_LITTLEFS = "littlefs" in sys.argv
if HAS_LITTLEFS:
    from littlefs_with_cuts import LittleFs

sys.path[:0] = [name for name in sys.argv[1:] if name != "littlefs"]
board.load_kit(speed=1)
import qs_ring_log


class Subject:
    def new(self, seed, size, policy):
        random.seed(int(seed))
        self.settings = {"max_files": int(size), "file_bytes": FILE_BYTES, "drop_oldest": policy == "drop"}
        # Some file systems are full before the log is.
        is_small = random.random() < 0.2 and policy == "drop"
        if HAS_LITTLEFS:
            self.folder = "/flash/qs"
            self.files = LittleFs(int(size) + (4 if is_small else 12))
            return "new"
        self.folder = "qs"
        self.files = Files(random.random() < 0.5, FILE_BYTES * (int(size) if is_small else 1_000_000))
        qs_ring_log.os, qs_ring_log.open = self.files, self.files.open
        return "new"

    def power(self, left):
        self.files.power_up(None if left == "-1" else int(left))
        self.is_on = False
        return "power"

    def boot(self):
        self.log = qs_ring_log.RingLog(self.folder, **self.settings)
        self.log.begin()
        self.is_on, self.sent, self.unread, self.position = True, [], [], None
        return "boot %s %d" % (self.log.epoch, self.log.next)

    def record(self, content):
        if not self.is_on:
            return "off"
        first, result = self.log.next, "off"
        try:
            result = "kept" if self.log.record(content) else "refused"
        except PowerCut:
            self.is_on = False
        return "%s %d %d" % (result, first, self.log.next - 1)

    def again(self):
        self.unread, self.position = [], None
        return "again"

    def send(self):
        self.unread = [each for each in self.unread if not self.log.is_settled(each[0])]
        if not self.unread:
            self.unread, self.position = self.log.read(self.position, 300)
        if not self.unread:
            return "nothing"
        number, content = self.unread.pop(0)
        self.sent.append(number)
        return "sent %d %s" % (number, content)

    def answer(self, start, count):
        """A run of what was sent."""
        start = int(start) % max(1, len(self.sent))
        run = self.sent[start : start + int(count)]
        while run and run != list(range(run[0], run[0] + len(run))):
            run.pop()
        if not run or run[0] < self.log.low:
            return "none"
        del self.sent[start : start + len(run)]
        is_saved = self.log.settle(run[0], len(run))
        return "settled %d %d %s" % (run[0], len(run), "saved" if self.log.is_saved and is_saved else "unsaved")

    def note(self, content):
        self.log.note(content)
        return "note"

    def drain(self):
        lines = []
        self.again()
        while self.log.waiting:
            line = self.send()
            if line == "nothing":
                return "stuck"
            lines.append(line.split(" ", 1)[1].replace(" ", ":"))
            self.log.settle(self.sent[-1], 1)
            self.again()
        return "drained %s %d %d" % (" ".join(lines), self.log.next, self.log.lost)


subject = Subject()
for line in sys.stdin:
    name, *arguments = line.split()
    if name == "quit":
        break
    try:
        if name in ("new", "power", "boot", "record") or subject.is_on:
            print(getattr(subject, name)(*arguments))
        else:
            print("off")
    except PowerCut:
        subject.is_on = False
        print("off")
