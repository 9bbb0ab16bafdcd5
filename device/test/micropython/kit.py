"""kit.py OPTION=VALUE...: device/micropython on this machine; options and output are those of host/board.cpp."""

import json
import sys
import time

import board

options = dict(option.split("=", 1) for option in sys.argv[1:])


def number(name, otherwise):
    return int(options.get(name, otherwise))


board.load_kit(number("speed", 1))
import qs_telemetry

qs = None
clock_at = number("clock", 0)
qs_telemetry.unix_ms = lambda: time.time_ns() // 1_000_000 if (qs.uptime() if qs else 0) >= clock_at else None


def rejected(event_id, code, message):
    print(json.dumps({"rejected": event_id, "code": code, "hasMessage": bool(message)}))


qs = qs_telemetry.Telemetry(
    "127.0.0.1",
    number("port", 1883),
    options["device"],
    folder=options["flash"],
    max_files=number("sectors", 64),
    drop_oldest=not number("refuse", 0),
)
qs.on_rejected = rejected
meta = eval(options.get("meta", "None"), {"NaN": float("nan"), "true": True})
if number("say", 0):
    print(json.dumps({"ready": True}))
left, every, wait, kept, due_at = number("count", 0), number("every", 0), number("wait", 1), 0, 0
end = number("seconds", 3600) * 1000
while qs.uptime() < end and (left or (wait and (qs.waiting or (wait == 2 and not qs.session.is_ready())))):
    while left and qs.uptime() >= due_at:
        due_at += every
        left -= 1
        if not qs.record("temp", 21.5 + left, "C", meta):
            continue
        kept += 1
        if number("say", 0):
            print(json.dumps({"value": 21.5 + left}))
    qs.step()
    time.sleep(0.001)
print(json.dumps({"kept": kept, "waiting": qs.waiting, "lost": qs.lost, "problem": qs.problem}))
