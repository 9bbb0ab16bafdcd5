"""Publishes numbered events with paho-mqtt and prints the id of each event that is confirmed."""

import json
import queue
import sys
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

port, level, qos, device = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
WINDOW = 100
waiting = {}
# Answers wait here, since one may come before publish() has returned its identifier.
answers = queue.SimpleQueue()
ended = threading.Event()


def on_publish(_client, _userdata, mid, reason, _properties):
    answers.put((mid, reason.is_failure))


def take_answers():
    while not answers.empty():
        mid, is_failure = answers.get()
        event_id = waiting.pop(mid, None)
        if qos > 0 and event_id is not None and not is_failure:
            print(event_id, flush=True)


def wait_for_end():
    sys.stdin.read()
    ended.set()


threading.Thread(target=wait_for_end, daemon=True).start()
session = {"clean_session": False} if level == 4 else {}
client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2,
    client_id=device,
    protocol=mqtt.MQTTv311 if level == 4 else mqtt.MQTTv5,
    **session,
)
client.on_publish = on_publish
client.reconnect_delay_set(1, 1)
client.max_inflight_messages_set(WINDOW)
if level == 4:
    client.connect_async("127.0.0.1", port, keepalive=5)
else:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 300
    client.connect_async("127.0.0.1", port, keepalive=5, clean_start=False, properties=properties)
client.loop_start()

sent = 0
while not ended.is_set():
    time.sleep(0.02)
    take_answers()
    if len(waiting) >= WINDOW or (qos == 0 and not client.is_connected()):
        continue
    event_id = f"{device}-{sent}"
    event = {"schema": 1, "event_id": event_id, "device_id": device, "event_type": "t", "value": sent}
    waiting[client.publish(f"qs/v1/{device}/events", json.dumps(event), qos).mid] = event_id
    sent += 1
while qos > 0 and waiting:
    time.sleep(0.02)
    take_answers()
print(f"sent {sent}", flush=True)
client.disconnect()
client.loop_stop()
