"""failing_links.py PORT...: a line for each port, what a session says of the broker there, and its longest step in ms."""

import sys
import time

import board

board.load_kit(speed=20)
clock_ms = time.ticks_ms if board.IS_MICROPYTHON else lambda: time.monotonic() * 1000
from qs_mqtt import MqttSession

for port in sys.argv[1:]:
    session = MqttSession("127.0.0.1", int(port), "board-1", "board-1", "secret")
    longest = 0
    while session.problem in ("", "not connected yet"):
        before = clock_ms()
        session.step()
        if session.can_publish():
            session.publish(b"x" * 200_000)
        longest = max(longest, clock_ms() - before)
        time.sleep(0.002)
    print("%s|%d" % (session.problem, longest))
