"""The kit on a PC. Under CPython with what that lacks of MicroPython: ticks, and sockets that are streams."""

import sys
import time

IS_MICROPYTHON = sys.implementation.name == "micropython"
PERIOD = 1 << 30  # of the ticks of a board


def load_kit(speed):
    """Makes the kit importable. Its clock is `speed` times as fast, and wraps around soon after the start."""
    sys.path.append(__file__.rsplit("/", 1)[0] + "/../../micropython")
    clock_us = time.ticks_us if IS_MICROPYTHON else lambda: time.monotonic_ns() // 1000
    start = clock_us()

    def ticks_ms():
        return (PERIOD - 500 + (clock_us() - start) * speed // 1000) % PERIOD

    def ticks_diff(end, start):
        return (end - start + PERIOD // 2) % PERIOD - PERIOD // 2

    if not IS_MICROPYTHON:
        time.ticks_ms, time.ticks_diff = ticks_ms, ticks_diff
        time.ticks_add = lambda ticks, delta: (ticks + delta) % PERIOD
        time.sleep_ms = lambda ms: time.sleep(ms / 1000)
    import qs_mqtt
    import qs_telemetry

    for module in (qs_mqtt, qs_telemetry):
        module.ticks_ms, module.ticks_diff = ticks_ms, ticks_diff
    if not IS_MICROPYTHON:
        qs_mqtt.socket = socket_of_cpython()


def socket_of_cpython():
    import socket
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

    return types.SimpleNamespace(
        socket=Socket, getaddrinfo=socket.getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM
    )
