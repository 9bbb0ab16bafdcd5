"""
Runs examples/micropython/main.py under CPython, against a broker, until no event is waiting.

usage: drive.py MAIN PORT, in an empty folder. Four readings, one of which is NaN, and an event that is rejected
without an id; the first device ack is lost.
"""

import json
import sys
import time

import umqtt.simple

main_path, port = sys.argv[1], int(sys.argv[2])

time.ticks_ms = lambda: time.monotonic_ns() // 1_000_000
time.ticks_add = lambda ticks, delta: ticks + delta
time.ticks_diff = lambda end, start: end - start
umqtt.simple.lose_messages = 1

with open(main_path) as file:
    source = file.read()
for name, value in {
    "BROKER": '"127.0.0.1"',
    "BROKER_PORT": str(port),
    "DEVICE_ID": '"micropython-1"',
    "MEASURE_EVERY_MS": "50",
    "RESEND_AFTER_MS": "300",
}.items():
    before, found, after = source.partition("\n%s = " % name)
    assert found, name
    source = before + found + value + after[after.index("\n") :]
assert source.endswith("\nmain()\n")
example = {}
exec(compile(source[: -len("main()\n")], main_path, "exec"), example)

readings = [20.123456, float("nan"), 20.5, 20.75]
example["read_temperature"] = lambda: readings.pop(0) if readings else None


class Telemetry(example["Telemetry"]):
    def __init__(self, *args):
        super().__init__(*args)
        event = {"schema": 1, "event_id": "x" * 2000, "device_id": self.device_id, "event_type": "temp"}
        self.waiting["unnamed"] = [json.dumps(event), 0, 0, None]
        example["telemetry"] = self

    def take_device_ack(self, ack):
        print("ack:", ack["status"], ack["event_id"])
        super().take_device_ack(ack)


def sleep_ms(ms):
    if not readings and not example["telemetry"].waiting:
        sys.exit()
    time.sleep(ms / 1000)


example["Telemetry"] = Telemetry
time.sleep_ms = sleep_ms
example["main"]()
