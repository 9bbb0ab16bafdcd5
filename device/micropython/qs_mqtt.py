"""MQTT 3.1.1, as much as a device needs, with a deadline on everything: no link, however it fails, stops the board.

umqtt reads and writes without a time limit, so a link that dies silently holds the program for ever.
"""

import os
import select
import socket
from time import ticks_diff, ticks_ms

DEADLINE_MS = 10_000
KEEP_ALIVE_MS = 30_000
LONGEST_PAUSE_MS = 60_000
MAX_PACKET = 16_384  # longer ones are left out

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK, PINGREQ = 0x10, 0x20, 0x30, 0x82, 0x90, 0xC0
IN_PROGRESS = (115, 119)  # EINPROGRESS of Linux and of lwIP
WAITING, OPENING, CONNECTING, SUBSCRIBING, READY = range(5)


class MqttSession:
    """A connection that is opened anew after each failure: after 1 s, then twice as long each time, up to a minute.

    Each pause is half to one and a half times that, so that many boards do not come back at once.
    """

    def __init__(self, host, port, device_id, user="", password="", tls=None):
        """tls: an ssl.SSLContext. Its handshake is the one thing that waits, for DEADLINE_MS per packet at most."""
        self.host, self.port, self.device_id, self.user, self.password = host, port, device_id, user, password
        self.tls = tls
        self.on_ready = lambda: None
        self.on_message = lambda payload: None
        self.problem = "not connected yet"  # empty while there is a connection
        self.state = WAITING
        self.failures = self.pause = self.packet_id = 0
        self.sock = None
        self.since = self.written_at = self.heard_at = ticks_ms()
        self.outbox = self.inbox = b""
        self.skip = 0

    def is_ready(self):
        return self.state == READY

    def can_publish(self):
        """Ready, and everything before was written."""
        return self.state == READY and not self.outbox

    def publish(self, payload):
        """To the topic of the events, with QoS 1. Only the device ack counts, so PUBACKs are ignored. Never raises, like step()."""
        self.packet_id = self.packet_id % 0xFFFF + 1
        topic = text("qs/v1/%s/events" % self.device_id)
        try:
            self.send(PUBLISH | 2, topic + self.packet_id.to_bytes(2, "big") + payload)
        except OSError as error:
            self.drop("no connection: %s" % (error,))

    def has_progress(self):
        """The server answers: the next pause is the shortest again."""
        self.failures = 0

    def step(self):
        """One round. Never waits, never raises because of the network."""
        try:
            self.advance(ticks_ms())
        except (OSError, ValueError, IndexError) as error:
            self.drop("no connection: %s" % (error,))

    def drop(self, why):
        """Closes the connection; the next one follows after a pause."""
        self.outbox = self.inbox = b""
        try:
            if self.sock is not None:
                self.sock.close()
        except OSError:
            pass
        pause = min(1000 << self.failures, LONGEST_PAUSE_MS)
        self.failures = min(self.failures + 1, 6)
        self.pause = pause // 2 + pause * int.from_bytes(os.urandom(2), "big") // 0xFFFF
        self.sock, self.state, self.since, self.problem = None, WAITING, ticks_ms(), why

    def advance(self, now):
        if self.state == WAITING:
            if ticks_diff(now, self.since) < self.pause:
                return
            self.open(now)
        if self.state != READY and ticks_diff(now, self.since) >= DEADLINE_MS:
            return self.drop("the broker does not answer")
        if self.state == OPENING:
            if not self.is_open():
                return
            self.connect()
        self.flush(now)
        self.receive(now)
        if self.state == READY:
            self.watch(now)

    def watch(self, now):
        stuck = ticks_diff(now, self.written_at)
        if ticks_diff(now, self.heard_at) >= KEEP_ALIVE_MS + DEADLINE_MS:
            self.drop("the broker is silent")
        elif self.outbox and stuck >= DEADLINE_MS:
            self.drop("the broker does not read")
        elif not self.outbox and stuck >= KEEP_ALIVE_MS // 2:
            self.send(PINGREQ, b"")

    def open(self, now):
        """The address of a name is looked up first, which may take seconds; that of digits takes no time."""
        self.state, self.since, self.heard_at, self.skip = OPENING, now, now, 0
        self.outbox = self.inbox = b""
        address = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)[0][-1]
        self.sock = socket.socket()
        self.sock.setblocking(False)
        try:
            self.sock.connect(address)
        except OSError as error:
            if error.args[0] not in IN_PROGRESS:
                raise

    def is_open(self):
        poller = select.poll()
        poller.register(self.sock, select.POLLOUT)
        for _, events in poller.poll(0):
            if events & (select.POLLERR | select.POLLHUP):
                raise OSError("the broker cannot be reached")
            return True
        return False

    def connect(self):
        if self.tls is not None:
            self.sock.settimeout(DEADLINE_MS / 1000)
            self.sock = self.tls.wrap_socket(self.sock, server_hostname=self.host)
            self.sock.setblocking(False)
        body = b"\x00\x04MQTT\x04" + bytes([0xC2 if self.user else 0x02]) + (KEEP_ALIVE_MS // 1000).to_bytes(2, "big")
        body += text(self.device_id)
        if self.user:
            body += text(self.user) + text(self.password)
        self.state = CONNECTING
        self.send(CONNECT, body)

    def send(self, kind, body):
        length, header = len(body), bytes([kind])
        while length > 127:
            header += bytes([length & 127 | 128])
            length >>= 7
        self.outbox += header + bytes([length]) + body
        self.written_at = ticks_ms()
        self.flush(self.written_at)

    def flush(self, now):
        count = self.sock.write(self.outbox) if self.outbox else 0
        if count:  # None: nothing can be written now
            self.outbox = self.outbox[count:]
            self.written_at = now

    def receive(self, now):
        for _ in range(8):  # so that a flood does not hold the caller
            data = self.sock.read(256)
            if data is None:
                return
            if not data:
                raise OSError("closed by the broker")
            self.heard_at = now
            self.inbox += data
            while self.take_packet():
                if self.sock is None:
                    return

    def take_packet(self):
        """Takes one packet out of what has arrived, if it is whole."""
        skipped = min(self.skip, len(self.inbox))
        self.skip -= skipped
        self.inbox = self.inbox[skipped:]
        length = at = 0
        while True:
            at += 1
            if at >= len(self.inbox):
                return False
            if at > 4:
                raise ValueError("this is no MQTT")
            length |= (self.inbox[at] & 127) << 7 * (at - 1)
            if self.inbox[at] < 128:
                break
        at += 1
        if length > MAX_PACKET:
            self.skip = at + length
            return True
        if len(self.inbox) < at + length:
            return False
        kind, body = self.inbox[0], self.inbox[at : at + length]
        self.inbox = self.inbox[at + length :]
        self.take(kind, body)
        return True

    def take(self, kind, body):
        if kind & 0xF0 == PUBLISH:
            topic = 2 + int.from_bytes(body[:2], "big")
            self.on_message(body[topic + (2 if kind & 6 else 0) :])
        elif kind == CONNACK and self.state == CONNECTING:
            if body[1] != 0:
                return self.drop("the broker refuses the account")
            self.state = SUBSCRIBING
            # QoS 0: a device ack that is lost comes again, as "duplicate".
            self.send(SUBSCRIBE, b"\x00\x01" + text("qs/v1/%s/acks" % self.device_id) + b"\x00")
        elif kind == SUBACK and self.state == SUBSCRIBING:
            if body[2] >= 0x80:
                return self.drop("the broker refuses the topic of the device acks")
            self.state, self.problem = READY, ""
            self.on_ready()


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data
