"""The part of umqtt.simple that the example uses, over a CPython socket: MQTT 3.1.1, QoS 0 out, QoS 0 and 1 in."""

import socket
import struct

#: Number of messages that the link loses before the callback gets them.
lose_messages = 0


class MQTTException(Exception):
    pass


def _text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("!H", len(data)) + data


class MQTTClient:
    def __init__(self, client_id, server, port=1883, user=None, password=None, keepalive=0):
        self.client_id, self.server, self.port, self.keepalive = client_id, server, port, keepalive
        self.callback = self.sock = None

    def set_callback(self, callback):
        self.callback = callback

    def connect(self):
        self.sock = socket.create_connection((self.server, self.port))
        flags = b"\x04MQTT\x04\x02"  # clean session
        self._send(0x10, b"\x00" + flags + struct.pack("!H", self.keepalive) + _text(self.client_id))
        kind, body = self._packet()
        if kind >> 4 != 2 or body[1] != 0:
            raise MQTTException(body[1])

    def disconnect(self):
        self._send(0xE0, b"")
        self.sock.close()

    def ping(self):
        self._send(0xC0, b"")

    def publish(self, topic, message):
        self._send(0x30, _text(topic) + message)

    def subscribe(self, topic, qos=0):
        self._send(0x82, b"\x00\x01" + _text(topic) + bytes([qos]))
        while True:
            kind, body = self._packet()
            if kind >> 4 == 9:
                if body[2] == 0x80:
                    raise MQTTException(body[2])
                return
            self._take(kind, body)

    def check_msg(self):
        self.sock.setblocking(False)
        try:
            first = self.sock.recv(1)
        except BlockingIOError:
            return
        finally:
            self.sock.setblocking(True)
        if not first:
            raise OSError(-1)
        self._take(*self._packet(first))

    def _take(self, kind, body):
        global lose_messages
        if kind >> 4 != 3:
            return
        topic_end = 2 + struct.unpack("!H", body[:2])[0]
        topic, rest = body[2:topic_end], body[topic_end:]
        if kind & 6:
            self._send(0x40, rest[:2])
            rest = rest[2:]
        if lose_messages > 0:
            lose_messages -= 1
            print("lost:", rest.decode())
        else:
            self.callback(topic, rest)

    def _send(self, kind, body):
        length, header = len(body), bytes([kind])
        while True:
            length, digit = length >> 7, length & 0x7F
            header += bytes([digit | 0x80 if length else digit])
            if not length:
                break
        self.sock.sendall(header + body)

    def _packet(self, first=b""):
        kind = (first or self._read(1))[0]
        length = shift = 0
        while True:
            digit = self._read(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                return kind, self._read(length)

    def _read(self, size):
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise OSError(-1)
            data += more
        return data
