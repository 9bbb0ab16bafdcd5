# A board with MicroPython that sends events to qs-telemetry and keeps each one until its device ack.
#
# The rule: forget your copy of an event when the device ack arrives, not before.

import binascii
import json
import math
import os
import time
from collections import OrderedDict

import machine
import network
import ntptime
from umqtt.simple import MQTTClient, MQTTException

WIFI_SSID = "your-wifi"
WIFI_PASSWORD = "your-wifi-password"
BROKER = "192.168.1.10"
BROKER_PORT = 1883
DEVICE_ID = ""  # with its own account: the id of `qs device add`; empty: the id of the chip
MQTT_USER = "your-mqtt-user"
MQTT_PASSWORD = "your-mqtt-password"

MEASURE_EVERY_MS = 10_000
RESEND_AFTER_MS = 10_000  # doubled with each attempt, up to eight times
RECONNECT_EVERY_MS = 5_000
PING_EVERY_MS = 15_000
SILENCE_MS = 90_000  # without a device ack for this long while events wait, the connection counts as dead
MAX_WAITING = 100  # events kept at most; about 300 bytes of RAM each
ARRAY_EVENTS = 8  # sent as one message at most


def read_temperature():
    """Put your sensor here. None means that it could not be read."""
    return round(21 + 3 * math.sin(time.ticks_ms() / 600_000), 2)


def next_boot():
    """Counts boots in a file, so that no event id is ever used twice."""
    try:
        with open("boot.txt") as file:
            boot = int(file.read()) + 1
    except (OSError, ValueError):  # first boot, or an erased flash: 1 may have been used long ago
        boot = int.from_bytes(os.urandom(4), "big") >> 2
    with open("boot.new", "w") as file:
        file.write(str(boot))
    os.rename("boot.new", "boot.txt")
    return boot


def device_time():
    """UTC as ISO 8601 with Z; None before NTP has answered. gmtime() hides whether the epoch is 1970 or 2000."""
    now = time.gmtime()
    if now[0] < 2024:
        return None
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % now[:6]


class Telemetry:
    def __init__(self, device_id, boot):
        self.device_id = device_id
        self.events_topic = "qs/v1/%s/events" % device_id
        self.acks_topic = "qs/v1/%s/acks" % device_id
        self.boot = boot
        self.seq = 0
        self.lost = 0
        self.waiting = OrderedDict()  # event id -> [JSON, attempts, sent at]; oldest first
        self.alone = None  # the event sent by itself, to find out which one is refused; "" before the first
        self.client = None
        self.heard_at = self.pinged_at = self.tried_at = 0

    def record(self, event_type, value, unit):
        """Accepts an event, connected or not."""
        if value is None or value != value or value in (float("inf"), float("-inf")):  # JSON has no NaN and no Infinity
            print(event_type, "could not be read")
            return
        if len(self.waiting) >= MAX_WAITING:  # full: the oldest event is dropped, and the next one reports it
            self.forget(next(iter(self.waiting)))
            self.lost += 1
        event_id = "%s-%010d-%06d" % (self.device_id, self.boot, self.seq)
        self.seq += 1
        event = {
            "schema": 1,
            "event_id": event_id,
            "device_id": self.device_id,
            "event_type": event_type,
            "value": value,
            "unit": unit,
            "meta": {"uptime_ms": time.ticks_ms(), "lost": self.lost},
        }
        ts = device_time()
        if ts:
            event["ts_device"] = ts
        # Written once: a resend is the same event. Only without a clock is its age added when it is sent (text_of).
        self.waiting[event_id] = [json.dumps(event), 0, 0, None if ts else time.ticks_ms()]

    def on_message(self, _topic, payload):
        """Device acks: an object for an object, an array for an array."""
        self.heard_at = time.ticks_ms()
        try:
            acks = json.loads(payload)
            for ack in acks if isinstance(acks, list) else [acks]:
                self.take_device_ack(ack)
        except (ValueError, AttributeError):
            print("device ack not understood:", payload)

    def take_device_ack(self, ack):
        status = ack.get("status")
        if ack.get("event_id") is None:
            self.refused_unnamed(ack)
            return
        if status == "rejected":  # can never be stored; the server keeps it as a dead letter, so forget it here
            print("rejected", ack.get("event_id"), ack.get("error"))
        if status in ("stored", "duplicate", "rejected"):
            self.forget(ack.get("event_id"))

    def forget(self, event_id):
        self.waiting.pop(event_id, None)
        if self.alone is not None and (self.alone not in self.waiting):
            self.alone = "" if self.waiting else None

    def refused_unnamed(self, ack):
        """A message was refused and no id could be read in it. Sent one by one, the next such ack shows which."""
        print("rejected", self.alone or "", ack.get("error"))
        if self.alone:
            self.forget(self.alone)
        elif self.alone is None and self.waiting:
            self.alone = ""
            for entry in self.waiting.values():  # not before the acks of messages in flight have arrived
                entry[1], entry[2] = 1, time.ticks_ms()

    def text_of(self, entry, now):
        """The event as sent. One from before NTP carries its age, so that it keeps its place in charts."""
        if entry[3] is None:
            return entry[0]
        return '%s,"age_ms":%d}' % (entry[0][:-1], time.ticks_diff(now, entry[3]))

    def send_due(self):
        now = time.ticks_ms()
        due = []
        for event_id, entry in self.waiting.items():
            if self.alone and event_id != self.alone:
                continue
            wait = RESEND_AFTER_MS << min(max(entry[1] - 1, 0), 3)
            if entry[1] == 0 or time.ticks_diff(now, entry[2]) >= wait:
                due.append(entry)
            if self.alone is not None and due:
                self.alone = event_id
                break
            if len(due) == ARRAY_EVENTS:
                break
        if not due:
            return
        texts = [self.text_of(entry, now) for entry in due]
        payload = texts[0] if len(due) == 1 else "[" + ",".join(texts) + "]"
        # QoS 0 on purpose: with QoS 1 umqtt waits for the PUBACK forever. Lost messages are sent again.
        self.client.publish(self.events_topic.encode(), payload.encode())
        for entry in due:
            entry[1] += 1
            entry[2] = now

    def connect(self):
        client = MQTTClient(
            self.device_id, BROKER, BROKER_PORT, user=MQTT_USER, password=MQTT_PASSWORD, keepalive=60
        )
        client.set_callback(self.on_message)
        client.connect()
        client.subscribe(self.acks_topic.encode(), 1)  # before the first event, or its device ack is missed
        for entry in self.waiting.values():
            entry[1] = 0
        self.client = client
        self.heard_at = self.pinged_at = time.ticks_ms()
        print("connected as", self.device_id, "- events waiting:", len(self.waiting))

    def disconnect(self):
        try:
            self.client.disconnect()
        except OSError:
            pass
        self.client = None

    def step(self):
        """One round: receive device acks, send what is due. Never raises because of the network."""
        now = time.ticks_ms()
        try:
            if self.client is None:
                if self.tried_at and time.ticks_diff(now, self.tried_at) < RECONNECT_EVERY_MS:
                    return
                self.tried_at = now
                self.connect()
            for _ in range(20):  # check_msg takes one packet at a time
                self.client.check_msg()
            self.send_due()
            if time.ticks_diff(now, self.pinged_at) >= PING_EVERY_MS:
                self.client.ping()
                self.pinged_at = now
            if not self.waiting:
                self.heard_at = now
            elif time.ticks_diff(now, self.heard_at) > SILENCE_MS:
                raise OSError("no device ack for %d s" % (SILENCE_MS // 1000))
        except (OSError, MQTTException, IndexError, AssertionError) as error:  # what umqtt raises on a broken link
            print("no connection:", error)
            if self.client is not None:
                self.disconnect()


def main():
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():  # a soft reset keeps the connection
        wlan.connect(WIFI_SSID, WIFI_PASSWORD)
    telemetry = Telemetry(DEVICE_ID or binascii.hexlify(machine.unique_id()).decode(), next_boot())
    measured_at = time.ticks_add(time.ticks_ms(), -MEASURE_EVERY_MS)
    synced = False
    while True:
        if time.ticks_diff(time.ticks_ms(), measured_at) >= MEASURE_EVERY_MS:
            measured_at = time.ticks_add(measured_at, MEASURE_EVERY_MS)
            if not synced and wlan.isconnected():
                try:
                    ntptime.settime()
                    synced = True
                except OSError:
                    print("no NTP yet: events go with their age instead of ts_device")
            telemetry.record("temp", read_temperature(), "C")
        if wlan.isconnected():
            telemetry.step()
        time.sleep_ms(50)


main()
