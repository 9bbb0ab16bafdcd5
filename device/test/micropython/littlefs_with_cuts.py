"""LittleFS, the file system of boards, on NOR flash in memory whose power can be cut at any byte. For MicroPython only."""

import os
import random

import vfs
from files_with_cuts import PowerCut

BLOCK = 4096
ERASE_COST = 16  # where eight bytes cost 1


class Flash:
    """A block device, from one power cut to the next; the bytes outlive it."""

    def __init__(self, bytes, left):
        self.bytes, self.left = bytes, left
        self.is_cut = self.is_gone = False

    def spend(self, cost):
        """How much of the cost was still paid for; all of it, or the power is cut."""
        if self.is_cut:
            raise PowerCut
        paid = cost if self.left is None else min(self.left, cost)
        if self.left is not None:
            self.is_cut = self.left < cost
            self.left -= paid
        return paid

    def readblocks(self, block, into, offset=0):
        start = block * BLOCK + offset
        into[:] = memoryview(self.bytes)[start : start + len(into)]

    def writeblocks(self, block, data, offset=0):
        if self.is_gone:  # a file of before a cut is collected
            return -5
        start, whole = block * BLOCK + offset, len(data)
        paid = self.spend(whole // 8)
        count = whole if not self.is_cut else min(whole, paid * 8 + random.randrange(8))
        assert all(byte == 255 for byte in self.bytes[start : start + count]), "flash is written twice"
        self.bytes[start : start + count] = data[:count]
        if self.is_cut:
            if count < whole:
                self.bytes[start + count] &= data[count] | random.getrandbits(8)
            raise PowerCut

    def ioctl(self, operation, block):
        if operation == 4:
            return len(self.bytes) // BLOCK
        if operation == 5:
            return BLOCK
        if operation == 6 and not self.is_gone:
            self.erase(block * BLOCK)
        return 0

    def erase(self, start):
        self.spend(ERASE_COST)
        count = random.randrange(BLOCK) if self.is_cut else BLOCK
        self.bytes[start : start + count] = b"\xff" * count
        if self.is_cut:
            raise PowerCut


class LittleFs:
    def __init__(self, blocks):
        self.flash = Flash(bytearray(blocks * BLOCK), None)
        vfs.VfsLfs2.mkfs(self.flash)

    def power_up(self, left):
        """The power was cut by now, whatever happened before."""
        self.flash.is_gone = True
        if "flash" in os.listdir("/"):
            vfs.umount("/flash")
        self.flash = Flash(self.flash.bytes, None)
        vfs.mount(vfs.VfsLfs2(self.flash), "/flash")
        self.flash.left = left
