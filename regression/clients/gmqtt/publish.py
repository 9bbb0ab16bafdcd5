"""Publishes numbered events with gmqtt and prints the id of each event that is confirmed.

gmqtt drops what it has not sent when the broker does not know its session, so the program publishes that again.
"""

import asyncio
import json
import logging
import sys

import gmqtt
from gmqtt.mqtt.constants import MQTTv50, MQTTv311

port, level, qos, device = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
WINDOW = 100
logging.disable(logging.CRITICAL)


class Client(gmqtt.Client):
    """Tells which packet identifiers are answered, which gmqtt keeps to itself."""

    on_answer = staticmethod(lambda mid: None)

    def _remove_message_from_query(self, mid):
        self.on_answer(mid)
        super()._remove_message_from_query(mid)

    def send(self, topic, payload):
        mid, _ = self._connection.publish(gmqtt.Message(topic, payload, qos=qos))
        return mid


async def main():
    waiting = {}
    under_way = {}
    client = Client(device, clean_session=True)
    client.set_config({"reconnect_retries": -1, "reconnect_delay": 0.2})

    def publish(event_id):
        under_way[client.send(f"qs/v1/{device}/events", waiting[event_id])] = event_id

    def answered(mid):
        event_id = under_way.pop(mid, None)
        if event_id is not None and waiting.pop(event_id, None) is not None:
            print(event_id, flush=True)

    def connected(*_):
        under_way.clear()
        for event_id in list(waiting):
            publish(event_id)

    client.on_answer = answered
    client.on_connect = connected
    await client.connect("127.0.0.1", port, keepalive=5, version=MQTTv311 if level == 4 else MQTTv50)

    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    sent = 0
    while not ended.done():
        await asyncio.sleep(0.02)
        if len(waiting) >= WINDOW or not client.is_connected:
            continue
        event_id = f"{device}-{sent}"
        event = {"schema": 1, "event_id": event_id, "device_id": device, "event_type": "t", "value": sent}
        sent += 1
        if qos > 0:
            waiting[event_id] = json.dumps(event)
            publish(event_id)
        else:
            client.send(f"qs/v1/{device}/events", json.dumps(event))
    while waiting:
        await asyncio.sleep(0.02)
    print(f"sent {sent}", flush=True)
    await client.disconnect()


asyncio.run(main())
