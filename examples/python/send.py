"""Sends a value every second and keeps each event, in a file, until its device ack.

The rule: forget your copy of an event when the device ack arrives, not before.
"""

import argparse
import json
import math
import sqlite3
import time
from datetime import datetime, timezone

import paho.mqtt.client as mqtt

RESEND_AFTER_S = 10  # doubled with each attempt, up to eight times
ARRAY_EVENTS = 100  # sent as one message at most


class Outbox:
    """Events without device ack. In a file, so that they outlive this process."""

    def __init__(self, path, device_id):
        self.device_id = device_id
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute(
            "create table if not exists waiting"
            " (seq integer primary key autoincrement, event_id text unique, json text, attempts int, due real)"
        )
        # The ids of its events: never from the clock, which may show the same time after each start.
        self.db.execute("create table if not exists log (epoch text)")
        self.db.execute(
            "insert into log select lower(hex(randomblob(4))) where not exists (select * from log)"
        )
        self.epoch = self.db.execute("select epoch from log").fetchone()[0]
        self.alone = None  # the event sent by itself, to find out which one is refused; "" before the first
        self.forget_attempts()

    def next_id(self):
        """Nothing but a deleted file begins a sequence anew, and then the epoch is another one."""
        seq = self.db.execute("select max(seq) from sqlite_sequence where name = 'waiting'").fetchone()[0]
        return f"{self.device_id}-{self.epoch}-{seq or 0:010d}"

    def keep(self, event):
        """Gives an event its id and keeps it.

        Raises ValueError if the event contains NaN or Infinity: JSON has neither, so it could never be stored.
        """
        event = {"event_id": self.next_id(), **event}
        # Serialized once: a resend has the same text and is therefore the same event.
        row = (event["event_id"], json.dumps(event, allow_nan=False))
        self.db.execute("insert into waiting (event_id, json, attempts, due) values (?, ?, 0, 0)", row)

    def forget(self, event_id):
        self.db.execute("delete from waiting where event_id = ?", (event_id,))
        if self.alone is not None:
            self.alone = "" if len(self) > 0 else None

    def refused_unnamed(self, now):
        """A message was refused and no id could be read in it. Sent one by one, the next such ack shows which."""
        if self.alone:
            print("rejected", self.alone, "(it cannot be read)")
            self.forget(self.alone)
        elif self.alone is None and len(self) > 0:
            self.alone = ""
            # Not before the acks of messages in flight have arrived.
            self.db.execute("update waiting set attempts = 0, due = ?", (now + RESEND_AFTER_S,))

    def forget_attempts(self):
        """After a connect everything is due at once, and no more acks of the old connection arrive."""
        self.db.execute("update waiting set attempts = 0, due = 0")

    def due(self, now):
        query = "select event_id, json, attempts from waiting where due <= ? order by seq limit ?"
        if self.alone is None:
            return self.db.execute(query, (now, ARRAY_EVENTS)).fetchall()
        if self.alone:
            one = "select event_id, json, attempts from waiting where due <= ? and event_id = ?"
            return self.db.execute(one, (now, self.alone)).fetchall()
        first = self.db.execute(query, (now, 1)).fetchall()
        self.alone = first[0][0] if first else ""
        return first

    def sent(self, event_id, attempts, now):
        due = now + RESEND_AFTER_S * 2 ** min(attempts, 3)
        self.db.execute(
            "update waiting set attempts = ?, due = ? where event_id = ?", (attempts + 1, due, event_id)
        )

    def __len__(self):
        return self.db.execute("select count(*) from waiting").fetchone()[0]


def take_device_acks(outbox, payload):
    """An object for an object, an array for an array."""
    acks = json.loads(payload)
    for ack in acks if isinstance(acks, list) else [acks]:
        if ack["event_id"] is None:
            print("rejected", ack["error"]["code"], ack["error"]["message"])
            outbox.refused_unnamed(time.monotonic())
            continue
        if ack["status"] == "rejected":  # can never be stored; the server keeps it as a dead letter
            print("rejected", ack["event_id"], ack["error"]["code"], ack["error"]["message"])
        if ack["status"] in ("stored", "duplicate", "rejected"):
            outbox.forget(ack["event_id"])
            print(ack["status"], ack["event_id"])


def keep(outbox, event):
    try:
        outbox.keep(event)
    except ValueError as error:  # a sensor that could not be read
        print("not sent:", error, event)


def send_due(client, outbox, topic):
    due = outbox.due(time.monotonic())
    if not due or not client.is_connected():
        return
    texts = [text for _, text, _ in due]
    client.publish(topic, texts[0] if len(texts) == 1 else f"[{','.join(texts)}]", qos=1)
    for event_id, _, attempts in due:
        outbox.sent(event_id, attempts, time.monotonic())


def new_client(device_id):
    # paho-mqtt 2 needs the version of the callbacks; paho-mqtt 1.6 has no such argument.
    version = getattr(mqtt, "CallbackAPIVersion", None)
    return mqtt.Client(version.VERSION2, client_id=device_id) if version else mqtt.Client(device_id)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username")
    parser.add_argument("--password")
    parser.add_argument("--device", default="python-1")
    parser.add_argument("--every", type=float, default=1, help="seconds between two events")
    parser.add_argument("--count", type=int, help="end after this many events, all with their device ack")
    args = parser.parse_args()

    outbox = Outbox(f"{args.device}.sqlite", args.device)
    client = new_client(args.device)
    if args.username:
        client.username_pw_set(args.username, args.password)

    def on_connect(client, _userdata, _flags, reason, _properties=None):
        print(f"{reason}, events waiting: {len(outbox)}")
        client.subscribe(f"qs/v1/{args.device}/acks", qos=1)
        outbox.forget_attempts()

    client.on_connect = on_connect
    client.on_message = lambda _client, _userdata, message: take_device_acks(outbox, message.payload)
    client.connect_async(args.host, args.port, keepalive=30)

    recorded = 0
    next_at = time.monotonic()
    while args.count is None or recorded < args.count or len(outbox) > 0:
        now = time.monotonic()
        if now >= next_at and (args.count is None or recorded < args.count):
            next_at = max(next_at + args.every, now)
            keep(
                outbox,
                {
                    "schema": 1,
                    "device_id": args.device,
                    "event_type": "temp",
                    "value": round(21 + 3 * math.sin(now / 600), 2),
                    "unit": "C",
                    "ts_device": datetime.now(timezone.utc).isoformat(),
                },
            )
            recorded += 1
        send_due(client, outbox, f"qs/v1/{args.device}/events")
        # One thread does everything: device acks arrive in here.
        if client.loop(timeout=0.1) != mqtt.MQTT_ERR_SUCCESS:
            try:
                client.reconnect()
            except OSError as error:
                print(f"no broker: {error}; events waiting: {len(outbox)}")
                time.sleep(min(args.every, 1))
    client.disconnect()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
