"""What MicroPython has and CPython lacks, for device/micropython on a PC: ticks, and sockets that are streams."""

import os
import socket
import sys
import time
import types


class Socket(socket.socket):
    def read(self, size):
        """None: nothing has arrived."""
        try:
            return self.recv(size)
        except BlockingIOError:
            return None

    def write(self, data):
        """None: nothing can be written now."""
        try:
            return self.send(data)
        except BlockingIOError:
            return None


def load_kit(speed):
    """Makes the kit importable. Its clock is `speed` times as fast, and wraps around soon after the start."""
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../micropython"))
    period = 1 << 30
    start = time.monotonic_ns()
    time.ticks_ms = lambda: (period - 500 + (time.monotonic_ns() - start) * speed // 1_000_000) % period
    time.ticks_add = lambda ticks, delta: (ticks + delta) % period
    time.ticks_diff = lambda end, start: (end - start + period // 2) % period - period // 2
    time.sleep_ms = lambda ms: time.sleep(ms / 1000)
    import qs_mqtt

    qs_mqtt.socket = types.SimpleNamespace(
        socket=Socket, getaddrinfo=socket.getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM
    )
