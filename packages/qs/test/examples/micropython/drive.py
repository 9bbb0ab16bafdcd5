"""
Runs examples/micropython/main.py under CPython, against a broker, until no event is waiting.

usage: drive.py MAIN PORT, in an empty folder. Four readings, one of which is NaN; the first device ack is lost.
"""

import os
import sys
import time

main_path, port = sys.argv[1], int(sys.argv[2])
sys.path.append(os.path.join(os.path.dirname(main_path), "../../device/test/micropython"))
import board

board.load_kit(speed=1)
import qs_telemetry

qs_telemetry.RESEND_MS = 300
with open(main_path) as file:
    source = file.read()
for name, value in {
    "BROKER": '"127.0.0.1"',
    "BROKER_PORT": str(port),
    "DEVICE_ID": '"micropython-1"',
    "MEASURE_EVERY_MS": "50",
}.items():
    before, found, after = source.partition("\n%s = " % name)
    assert found, name
    source = before + found + value + after[after.index("\n") :]
assert source.endswith("\nmain()\n")
example = {}
exec(compile(source[: -len("main()\n")], main_path, "exec"), example)

losses = 1
readings = [20.123456, float("nan"), 20.5, 20.75]
example["read_temperature"] = lambda: readings.pop(0) if readings else None


class Telemetry(example["Telemetry"]):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        example["telemetry"] = self

    def on_message(self, payload):
        global losses
        losses -= 1
        if losses >= 0:
            print("lost:", payload.decode())
        else:
            super().on_message(payload)


def sleep_ms(ms):
    if not readings and not example["telemetry"].waiting:
        sys.exit()
    time.sleep(ms / 1000)


example["Telemetry"] = Telemetry
time.sleep_ms = sleep_ms
example["main"]()
