"""Files in memory whose power can be cut at any byte: what qs_ring_log.py needs of `os` and `open`."""

import random

ENTRY_COST = 16  # of a change of the folder, where a byte costs 1


class PowerCut(BaseException):
    """No OSError, so that no code goes on behind it."""


class Files:
    """
    is_atomic: as LittleFS, where a power cut leaves what the last flush left. Otherwise a cut leaves a part of what was
    written since, and perhaps anything in place of the rest, as FAT does.
    """

    def __init__(self, is_atomic, capacity):
        self.is_atomic, self.capacity = is_atomic, capacity
        self.contents = {}
        self.left = None
        self.is_cut = False

    def power_up(self, left):
        self.left, self.is_cut = left, False

    def spend(self, cost):
        """How much of the cost was still paid for; all of it, or the power is cut."""
        if self.is_cut:
            raise PowerCut
        if self.left is None or self.left >= cost:
            if self.left is not None:
                self.left -= cost
            return cost
        self.is_cut = True
        return self.left

    def change(self):
        if self.spend(ENTRY_COST) < ENTRY_COST:
            raise PowerCut

    # os

    def urandom(self, count):
        return bytes(random.getrandbits(8) for _ in range(count))

    def mkdir(self, _path):
        raise OSError(17)

    def listdir(self, _path):
        self.spend(0)
        return [name.split("/")[-1] for name in self.contents]

    def remove(self, path):
        if random.random() < 0.5:  # before or behind the change
            self.change()
            del self.contents[path]
        else:
            del self.contents[path]
            self.change()

    def stat(self, path):
        return (0, 0, 0, 0, 0, 0, len(self.contents[path]))

    # open

    def open(self, path, mode):
        if mode == "wb":
            self.change()
            self.contents[path] = b""
        elif path not in self.contents:
            raise OSError(2)
        return File(self, path)


class File:
    def __init__(self, files, path):
        self.files, self.path, self.at, self.unflushed = files, path, 0, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if not self.files.is_cut:
            self.flush()

    def seek(self, at):
        self.at = at

    def read(self):
        return self.files.contents[self.path][self.at :]

    def readline(self):
        rest = self.read()
        return rest[: rest.find(b"\n") + 1 or len(rest)]

    def write(self, data):
        self.files.spend(0)
        self.unflushed += data

    def flush(self):
        files, data, self.unflushed = self.files, self.unflushed, b""
        room = files.capacity - sum(map(len, files.contents.values()))
        written = data[: max(0, room)]
        paid = files.spend(len(written))
        if not files.is_cut:
            if len(written) == len(data) or not files.is_atomic:
                files.contents[self.path] += written
            if len(written) < len(data):
                raise OSError(28)
            return
        if not files.is_atomic:
            noise = bytes(random.choice(b"\0\n5 E{") for _ in data[paid:])
            files.contents[self.path] += data[:paid] + random.choice([b"", noise])
        raise PowerCut
