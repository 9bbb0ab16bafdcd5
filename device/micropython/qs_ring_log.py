"""Events in files, from record() until they are settled, through a power cut at any byte.

A folder has files of 4 KiB, in turn; the newest is the head. Each line is an entry under a CRC that is bound to its
place: `crc kind number content`. A file begins with a snapshot of everything that older files say about what is
settled, so only events are read from those.

Each event has a number, also one that is refused. What is lost is not written down but follows from what is: a number
that was given out, was never settled and is not in a file is lost. So no order of writes and removals can miscount it.

- Nothing is appended behind a write that was cut, and the number of such a write is not given out again.
- The next file is written before the oldest one is removed: it notes what is settled.
- Only what was flushed counts. On LittleFS, which boards have, a flush is atomic; nothing here relies on that.
"""

import os
from binascii import crc32, hexlify

WINDOW = 256  # numbers above the lowest that waits, which may be settled
MAX_BYTES = 2048  # of an event
SETTLED_BYTES = 64  # of an entry about settled events, at most


class RingLog:
    def __init__(self, folder, max_files=32, file_bytes=4096, drop_oldest=True):
        """drop_oldest: what gives way when every file has events that wait. False: the new ones."""
        self.folder, self.max_files, self.file_bytes, self.drop_oldest = folder, max_files, file_bytes, drop_oldest
        self.file = None
        self.epoch = ""
        self.files = []  # their generations; the last one is the head
        self.end = 0
        self.is_closed = True  # nothing may be appended to the head
        self.is_saved = True  # what is settled is in a file
        self.next = self.low = self.bits = self.settled = self.waiting = self.mark = 0
        self.tail = (0, 0)
        self.notes = []  # (number of the next event at the time, content)

    def begin(self):
        """Finds the log, or begins one. Raises OSError if the file system does not work."""
        try:
            os.mkdir(self.folder)
        except OSError:  # it exists
            pass
        self.close()
        self.files = sorted(int(name[:8], 16) for name in os.listdir(self.folder) if name.endswith(".log"))
        while self.files:
            header = self.header(self.files[-1])
            if header is not None:
                break
            os.remove(self.path(self.files.pop()))  # cut while it was made
        else:
            self.epoch = hexlify(os.urandom(4)).decode()
            if not self.open_file(1):
                raise OSError("no file can be written in %s" % self.folder)
            return
        self.epoch = header[0]
        self.next, self.low, self.settled, self.mark, self.bits = header[1:]
        self.is_saved = True
        self.scan_head()
        self.find_tail()
        while len(self.files) > self.max_files and (self.drop_oldest or not self.waiting_in(self.files[0])):
            self.drop()

    def close(self):
        if self.file is not None:
            self.file.close()
        self.file = None

    @property
    def lost(self):
        """Numbers that were given out, not settled, and are no longer here."""
        return self.next - self.settled - self.waiting

    def record(self, content):
        """Text without line breaks. True: it is in a file. False: it is not, and counts as lost."""
        data = content.encode()
        try:
            for _ in range(3 if len(data) <= MAX_BYTES else 0):
                if not (self.fits(len(data) + 32) or self.open_next(self.drop_oldest)):
                    break
                self.next += 1
                if self.append("E", self.next - 1, data):
                    self.waiting += 1
                    return True
        except OSError as error:
            print("the log cannot be written:", error)
        return self.refuse()

    def refuse(self):
        """An event that is not recorded has a number too, so it counts as lost."""
        self.next += 1
        return False

    def make_room(self, size):
        """Whether there is room for an event of this size without dropping another."""
        return self.fits(size + 32) or self.open_next(False)

    def note(self, content):
        """Something to be remembered as long as the events before it. False: there is no room."""
        if not (self.make_room(len(content)) and self.append("N", self.next, content.encode())):
            return False
        self.notes.append((self.next, content))
        return True

    def set_mark(self, mark):
        """A number that the log keeps for its user, 0 at first."""
        self.mark = mark
        if self.fits(SETTLED_BYTES):  # the head of the next file has it as well
            self.append("M", self.next, str(mark).encode())

    def is_settled(self, number):
        return number < self.low or bool(self.bits >> (number - self.low) & 1)

    def settle(self, first, count):
        """Forgets events that were read. Returns whether that is in a file, or holds until a restart only."""
        low, added = self.low, self.add(first, count)
        if added == 0:
            return self.is_saved
        self.waiting -= added
        was_saved, self.is_saved = self.is_saved, False
        if was_saved and self.fits(SETTLED_BYTES) and self.append("S", low, b"%d %d" % (first, count)):
            self.is_saved = True
            return True
        return self.open_next(False)  # its header has all of it

    def read(self, position, max_bytes, overhead=0):
        """A list of (number, content) of consecutive events that wait, and the position after them.

        Of at most max_bytes, with an overhead for each, but at least one event. Position None begins with the oldest.
        """
        found, size = [], 0
        for generation, offset, kind, number, content, end in self.entries(position or self.tail):
            if kind != "E" or self.is_settled(number):
                continue
            if position is None and not found:
                self.advance(number)  # nothing below it is left
                self.tail = (generation, offset)
            size += len(content) + overhead
            is_next = not found or (number == found[-1][0] + 1 and size <= max_bytes)
            if not is_next or number - self.low >= WINDOW:
                return found, (generation, offset)
            found.append((number, content))
        if position is None and not found:
            self.advance(self.next)
            self.waiting = 0
            self.tail = (self.files[-1], self.end)
        return found, (self.files[-1], self.end)

    # Files

    def path(self, generation):
        return "%s/%08x.log" % (self.folder, generation)

    def fits(self, size):
        return not self.is_closed and self.end + size <= self.file_bytes

    def append(self, kind, number, data):
        line = ("%s %d " % (kind, number)).encode() + data
        line = b"%08x " % self.crc(self.epoch, self.files[-1], self.end, line) + line + b"\n"
        try:
            self.file.write(line)
            self.file.flush()
        except OSError:
            self.is_closed = True
            return False
        self.end += len(line)
        return True

    def open_next(self, may_drop):
        """Begins the next file; False if that would drop events that wait and must not, or nothing can be written."""
        is_full = len(self.files) >= self.max_files
        if is_full and not may_drop and self.waiting_in(self.files[0]):
            return False
        while not self.open_file(self.files[-1] + 1):  # the file system has no room
            if len(self.files) < 2 or (not may_drop and self.waiting_in(self.files[0])):
                return False
            self.drop()
        while len(self.files) > self.max_files:
            self.drop()
            if not may_drop:
                break
        return True

    def open_file(self, generation):
        self.is_closed = True
        self.close_quietly()
        state = (self.epoch, self.next, self.low, self.settled, self.mark, self.bits)
        line = "H %s %d %d %d %d %x" % state
        line = b"%08x " % self.crc("", generation, 0, line.encode()) + line.encode() + b"\n"
        try:
            self.file = open(self.path(generation), "wb")
            self.file.write(line)
            self.file.flush()
        except OSError:
            self.close_quietly()
            try:
                os.remove(self.path(generation))
            except OSError:
                pass
            return False
        self.files.append(generation)
        self.end = len(line)
        self.is_closed, self.is_saved = False, True
        return True

    def close_quietly(self):
        try:
            self.close()
        except OSError:
            self.file = None

    def drop(self):
        """Removes the oldest file."""
        dropped = self.waiting_in(self.files[0])
        os.remove(self.path(self.files[0]))
        self.files.pop(0)
        self.waiting -= dropped
        self.tail = max(self.tail, (self.files[0], 0))
        header = self.header(self.files[0])
        if header is not None:
            self.advance(header[1])

    def waiting_in(self, generation):
        if generation < self.tail[0]:
            return 0
        count = 0
        for in_file, _, kind, number, _, _ in self.entries(max(self.tail, (generation, 0))):
            if in_file != generation:
                break
            count += kind == "E" and not self.is_settled(number)
        return count

    # What is in them

    def header(self, generation):
        """Epoch, number of the first event, low, settled, mark, bits; None if it is not whole."""
        with open(self.path(generation), "rb") as file:
            line = file.readline()
        if not self.is_whole(line, "", generation, 0):
            return None
        kind, epoch, first, low, settled, mark, bits = line[9:-1].decode().split(" ")
        return epoch, int(first), int(low), int(settled), int(mark), int(bits, 16)

    def entries(self, position):
        """(generation, offset, kind, number, content, end) of each entry that can be read, from a position on."""
        generation, offset = position
        for each in list(self.files):
            if each < generation:
                continue
            if each > generation:
                offset = 0
            with open(self.path(each), "rb") as file:
                file.seek(offset)
                data = file.read()
            at = 0
            while at < len(data):
                line = data[at : data.find(b"\n", at) + 1 or len(data)]
                start, offset, at = offset, offset + len(line), at + len(line)
                if start > 0 and self.is_whole(line, self.epoch, each, start):
                    kind, number, content = line[9:-1].decode().split(" ", 2)
                    yield each, start, kind, int(number), content, offset

    def scan_head(self):
        """Replays the head over the snapshot at its beginning."""
        head = self.files[-1]
        with open(self.path(head), "rb") as file:
            self.end = len(file.readline())
        self.is_closed = False
        for _, start, kind, number, content, end in self.entries((head, 0)):
            if start != self.end:
                self.is_closed = True
            self.end = end
            if kind == "E":
                self.next = number + 1
            elif kind == "N":
                self.next = number
            elif kind == "M":
                self.mark = int(content)
            elif kind == "S":
                self.advance(number)
                first, count = content.split(" ")
                self.add(int(first), int(count))
        if self.is_closed or os.stat(self.path(head))[6] != self.end:
            # A write was cut. It may have been that of an event: its number is not given out again.
            self.is_closed = True
            self.next += 1
        else:
            self.file = open(self.path(head), "ab")

    def find_tail(self):
        self.tail = (self.files[0], 0)
        for generation in self.files[1:]:
            header = self.header(generation)
            if header is not None and header[1] <= self.low:
                self.tail = (generation, 0)
        self.waiting, self.notes = 0, []
        for _, _, kind, number, content, _ in self.entries(self.tail):
            if kind == "E" and not self.is_settled(number):
                self.waiting += 1
            elif kind == "N":
                self.notes.append((number, content))

    def add(self, first, count):
        """Marks numbers as settled; returns how many were not. All or none of it happens: memory may run out here."""
        low, bits, added = self.low, self.bits, 0
        for number in range(max(first, low), first + count):
            if not bits >> (number - low) & 1:
                bits |= 1 << (number - low)
                added += 1
        while bits & 1:
            bits >>= 1
            low += 1
        self.low, self.bits = low, bits
        self.settled += added
        return added

    def advance(self, low):
        """Nothing below waits any more."""
        if low > self.low:
            self.bits >>= low - self.low
            self.low = low
            self.add(low, 0)
        self.notes = [note for note in self.notes if note[0] > self.low]

    def crc(self, epoch, generation, offset, line):
        return crc32(line, crc32(("%s %d %d" % (epoch, generation, offset)).encode()))

    def is_whole(self, line, epoch, generation, offset):
        return line[-1:] == b"\n" and line[:9] == b"%08x " % self.crc(epoch, generation, offset, line[9:-1])
