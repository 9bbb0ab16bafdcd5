"""The device kit for MicroPython: keeps each event in a file until the server has committed it.

    qs = Telemetry("192.168.1.10", 1883, "kitchen", "kitchen", "its password")
    qs.record("temp", 21.5, "C")   # True: it is in a file. False: it is not, and is counted
    qs.step()                      # sends, receives, connects; call it often, it does not wait for the network
    qs.waiting, qs.lost, qs.problem, qs.flush(10_000)

An id is `<device>-<epoch>-<number>`, of the ring log. An event that was measured before the time of day was known is
sent with its age. Once the time is known, a note in the log says what the others of that kind carry, before the first
of them is sent: each attempt to send an event has the same content.
"""

import json
import time
from time import ticks_diff, ticks_ms

from qs_mqtt import MqttSession
from qs_ring_log import RingLog

RESEND_MS = 10_000  # doubled with each attempt, up to eight times
REPORT_EVERY_MS = 60_000
MESSAGE_BYTES = 2048  # halved each time that memory runs out
MESSAGES = 4  # that wait for an answer
EPOCH_MS = 0 if time.gmtime(0)[0] == 1970 else 946_684_800_000  # the clocks of many boards begin in 2000


def unix_ms():
    """None until the clock is set."""
    if time.gmtime()[0] < 2024:
        return None
    return EPOCH_MS + (time.time_ns() // 1_000_000 if hasattr(time, "time_ns") else time.time() * 1000)


class Telemetry:
    def __init__(self, host, port, device_id, user="", password="", **options):
        """Options: folder of the log ("qs"), for nothing else; max_files (32) of 4 KiB in it, each of about 45 events;
        drop_oldest (True), or refuse new events when it is full; tls, an ssl.SSLContext.
        """
        self.device_id = device_id
        self.on_rejected = lambda event_id, code, message: print("rejected", event_id, code, message)
        self.session = MqttSession(host, port, device_id, user, password, options.pop("tls", None))
        self.log = RingLog(options.pop("folder", "qs"), **options)
        self.log.begin()
        self.session.on_ready, self.session.on_message = self.on_ready, self.on_message
        self.ticks, self.uptime_ms = ticks_ms(), 0
        self.messages = []  # (sent at, first number, count)
        self.position = None
        self.message_bytes = MESSAGE_BYTES
        self.attempts = self.quiet_until = self.report_at = self.alone_below = 0
        # The first event of this start; those from untimed_first to below untimed_end may have no time of day.
        self.boot_first = self.untimed_first = self.untimed_end = self.log.next

    @property
    def waiting(self):
        return self.log.waiting

    @property
    def lost(self):
        """Since the log was begun: refused or dropped because it was full, or gone with the power."""
        return self.log.lost

    @property
    def problem(self):
        return self.session.problem

    def record(self, event_type, value=None, unit=None, meta=None):
        """value: a number, a text, or None; meta: a dict. True: it is in a file. False: it is not, and counts."""
        try:
            return self.log_event(event_type, value, unit, meta)
        except MemoryError:  # raised before anything is written
            return self.log.refuse()

    def log_event(self, event_type, value, unit, meta):
        if value is not None and (value != value or value in (float("inf"), float("-inf"))):
            value = None  # JSON has no NaN
        event = {"event_type": event_type, "value": value}
        if unit is not None:
            event["unit"] = unit
        if meta is not None:
            event["meta"] = meta
        now = unix_ms()
        content = "%s%d %s" % (
            "U" if now is None else "T", self.uptime() if now is None else now, json.dumps(event)[1:-1]
        )
        is_kept = self.log.record(content)
        if is_kept and now is None:
            self.untimed_end = self.log.next
        return is_kept

    def step(self):
        """One round. It does not wait, and does not raise because of network or memory."""
        try:
            self.advance()
        except MemoryError:
            self.message_bytes = max(self.message_bytes // 2, 1)
            self.session.drop("no memory for messages of this size")

    def advance(self):
        self.uptime()
        self.session.step()
        self.note_time()
        if not self.session.can_publish():
            return
        now = self.uptime_ms
        if self.messages and now - self.messages[0][0] >= RESEND_MS << self.attempts:
            self.attempts = min(self.attempts + 1, 3)
            self.restart()
        if now >= self.quiet_until:
            self.report_loss(now)
            self.send(now)

    def flush(self, timeout_ms):
        """Steps until nothing waits: before deep sleep. False: something still does."""
        end = self.uptime() + timeout_ms
        while self.waiting and self.uptime() < end:
            self.step()
            time.sleep_ms(1)
        return self.waiting == 0

    def uptime(self):
        """Milliseconds since the start; ticks wrap around after days."""
        now = ticks_ms()
        self.uptime_ms += ticks_diff(now, self.ticks)
        self.ticks = now
        return self.uptime_ms

    # Time

    def note_time(self):
        """Once the time of day is known, that of the events that were not sent yet is written down."""
        if self.untimed_first < self.untimed_end:
            now = unix_ms()
            if now is not None:  # without a note they are sent with their age
                self.log.note("%d %d" % (self.untimed_first, now - self.uptime()))
                self.untimed_first = self.untimed_end

    def time_of(self, number, stamp):
        """What an event says of its time."""
        if stamp[0] == "T":
            return ',"ts_device":' + stamp[1:]
        for before, content in self.log.notes:
            first, offset = content.split(" ")
            if int(first) <= number < before:
                return ',"ts_device":%d' % (int(stamp[1:]) + int(offset))
        if number < self.boot_first:
            return ""
        self.untimed_first = max(self.untimed_first, number + 1)  # from now on it has no time of day
        return ',"age_ms":%d' % (self.uptime() - int(stamp[1:]))

    # Sending

    def report_loss(self, now):
        """What was lost is an event as well, at most once a minute, and only if there is room for it."""
        lost = self.log.lost
        if lost != self.log.mark and now >= self.report_at and self.log.make_room(200):
            self.report_at = now + REPORT_EVERY_MS
            if self.record("events_lost", lost):
                self.log.set_mark(lost)

    def restart(self):
        """Everything that waits is sent again."""
        self.messages, self.position = [], None

    def send(self, now):
        while len(self.messages) < MESSAGES and self.session.can_publish():
            is_alone = self.log.low < self.alone_below
            if is_alone and self.messages:
                return
            overhead = len(self.text_of(self.log.next, "T1700000000000 "))
            events, position = self.log.read(self.position, 0 if is_alone else self.message_bytes, overhead)
            if not events:
                if not self.messages:
                    self.position = None
                return
            self.position = position
            self.messages.append((now, events[0][0], len(events)))
            texts = [self.text_of(number, content) for number, content in events]
            self.session.publish(("[" + ",".join(texts) + "]").encode())

    def text_of(self, number, content):
        stamp, event = content.split(" ", 1)
        head = '{"schema":1,"event_id":"%s","device_id":%s,' % (self.id_of(number), json.dumps(self.device_id))
        return head + event + self.time_of(number, stamp) + "}"

    def id_of(self, number):
        return "%s-%s-%010d" % (self.device_id, self.log.epoch, number)

    def on_ready(self):
        self.restart()

    # Answers

    def on_message(self, payload):
        """Device acks: an object for an object, an array for an array."""
        try:
            acks = json.loads(payload)
            settled = [self.take_ack(ack) for ack in (acks if isinstance(acks, list) else [acks])]
        except (ValueError, AttributeError, TypeError):
            print("device ack not understood:", payload)
            return
        run, count = None, 0
        for number in settled + [None]:  # acks for consecutive events are one entry of the log
            if run is not None and number == run + count:
                count += 1
                continue
            if run is not None:
                self.settle(run, count)
            run, count = number, 1

    def take_ack(self, ack):
        """The number of the event that this ack ends the wait of, or None."""
        status, event_id = ack.get("status"), ack.get("event_id")
        error = ack.get("error") or {}
        if event_id is None:
            return self.take_nameless(error) if status == "rejected" else None
        prefix = self.id_of(0)[:-10]
        if event_id[:-10] != prefix or status not in ("stored", "duplicate", "rejected"):
            return None
        number = int(event_id[-10:])
        if number >= self.log.next:
            return None
        if status == "rejected":
            # With these codes the message was refused, not the event, unless that was alone.
            of_message = error.get("code") in ("MESSAGE_TOO_LARGE", "TOO_MANY_EVENTS")
            if of_message and not (self.is_alone() and self.messages[0][1] == number):
                self.send_one_by_one()
                return None
            if not self.log.is_settled(number):
                self.on_rejected(event_id, error.get("code"), error.get("message"))
        return number

    def take_nameless(self, error):
        """A message was refused, no event is named: sent one by one, the next such ack says which it is."""
        if self.messages and self.is_alone():
            number = self.messages[0][1]
            self.on_rejected(self.id_of(number), error.get("code"), error.get("message"))
            return number
        if self.messages:
            self.send_one_by_one()
        return None

    def is_alone(self):
        return len(self.messages) == 1 and self.messages[0][2] == 1 and self.messages[0][1] < self.alone_below

    def send_one_by_one(self):
        self.alone_below = self.log.next
        self.restart()
        self.quiet_until = self.uptime() + RESEND_MS  # until then the messages in flight have been answered

    def settle(self, first, count):
        before = self.log.waiting
        self.log.settle(first, count)
        if self.log.waiting != before:
            self.attempts = 0
            self.session.has_progress()
            self.messages = [each for each in self.messages if not self.is_answered(each)]

    def is_answered(self, message):
        _, first, count = message
        return all(self.log.is_settled(number) for number in range(first, first + count))
