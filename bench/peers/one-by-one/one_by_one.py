"""The baseline of the bench: MQTT to PostgreSQL one event at a time.

One message, one INSERT, one COMMIT, one device ack: the straightforward way to write an ingester, and the one this
project started from. It gives the same promise (no device ack before COMMIT) with none of the machinery: no arrays,
no dead letters, no accounting, no reconnect to PostgreSQL.

Settings: MQTT_HOST, MQTT_PORT, DATABASE_URL. Prints "ready" when it is subscribed. Needs paho-mqtt, psycopg2.
"""

import json
import os
import signal
import socket
import sys
from datetime import datetime, timezone

import paho.mqtt.client as mqtt
import psycopg2

INSERT = """
insert into events (event_id, device_id, event_type, value_num, value_text, unit,
                    ts, ts_device, ts_server, schema, meta)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (event_id) do nothing
"""


def row_of(event, ts_server):
    value = event.get("value")
    is_text = isinstance(value, str)
    ts_device = event.get("ts_device")
    return (
        event["event_id"],
        event["device_id"],
        event["event_type"],
        None if is_text else value,
        value if is_text else None,
        event.get("unit"),
        ts_device or ts_server,
        ts_device,
        ts_server,
        event["schema"],
        json.dumps(event["meta"]) if "meta" in event else None,
    )


class OneByOne:
    def __init__(self, connection):
        self.connection = connection
        self.cursor = connection.cursor()

    def on_message(self, client, _userdata, message):
        ts_server = datetime.now(timezone.utc)
        event = json.loads(message.payload)
        self.cursor.execute(INSERT, row_of(event, ts_server))
        status = "stored" if self.cursor.rowcount == 1 else "duplicate"
        self.connection.commit()
        ack = {"event_id": event["event_id"], "status": status, "ts_server": ts_server.isoformat()}
        client.publish(message.topic.replace("/events", "/acks"), json.dumps(ack))


def on_connect(client, *_):
    client.subscribe("qs/v1/+/events", qos=1)


def on_subscribe(*_):
    print("ready", flush=True)


def on_socket_open(_client, _userdata, sock):
    # Otherwise the PUBACK waits for the TCP acknowledgement of the device ack, and a lone event for both.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def create_client():
    options = {"client_id": "bench-one-by-one", "clean_session": False}
    if hasattr(mqtt, "CallbackAPIVersion"):  # paho-mqtt 2
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, **options)
    return mqtt.Client(**options)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ingester = OneByOne(psycopg2.connect(os.environ["DATABASE_URL"]))
    client = create_client()
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_socket_open = on_socket_open
    client.on_message = ingester.on_message
    client.connect(os.environ["MQTT_HOST"], int(os.environ["MQTT_PORT"]))
    client.loop_forever()


if __name__ == "__main__":
    main()
