# A board with MicroPython that sends events to qs-telemetry and keeps each in a file until the server has committed it.

import binascii
import math
import ssl
import time

import machine
import network
import ntptime
from qs_telemetry import Telemetry  # device/micropython of this repository

WIFI_SSID = "your-wifi"
WIFI_PASSWORD = "your-wifi-password"
BROKER = "192.168.1.10"
BROKER_PORT = 1883
DEVICE_ID = ""  # with its own account: the id of `qs device add`; empty: the id of the chip
MQTT_USER = "your-mqtt-user"
MQTT_PASSWORD = "your-mqtt-password"
CA = None  # for TLS: the certificate authority, as qs device add --tls prints it

MEASURE_EVERY_MS = 10_000
NTP_EVERY_MS = 60_000  # until it has answered; it waits for a second


def read_temperature():
    """Put your sensor here. None means that it could not be read."""
    return round(21 + 3 * math.sin(time.ticks_ms() / 600_000), 2)


def measure(qs):
    value = read_temperature()
    if value is None or value != value:
        print("temp could not be read")
    elif not qs.record("temp", value, "C"):
        print("temp is in no file: lost, in all", qs.lost)


def main():
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():  # a soft reset keeps the connection
        wlan.connect(WIFI_SSID, WIFI_PASSWORD)
    device_id = DEVICE_ID or binascii.hexlify(machine.unique_id()).decode()
    tls = None
    if CA:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.load_verify_locations(cadata=CA)
    qs = Telemetry(BROKER, BROKER_PORT, device_id, MQTT_USER, MQTT_PASSWORD, tls=tls)
    print(device_id + ", events waiting:", qs.waiting)
    measure_at = ntp_at = time.ticks_ms()
    synced, problem = False, None
    while True:
        now = time.ticks_ms()
        if time.ticks_diff(now, measure_at) >= 0:
            measure_at = time.ticks_add(measure_at, MEASURE_EVERY_MS)
            measure(qs)
        if not synced and wlan.isconnected() and time.ticks_diff(now, ntp_at) >= 0:
            ntp_at = time.ticks_add(now, NTP_EVERY_MS)
            try:
                ntptime.settime()
                synced = True
            except OSError:
                print("no NTP yet: events are sent with their age")
        qs.step()
        if problem != qs.problem:
            problem = qs.problem
            print(problem or "connected")
        time.sleep_ms(20)


main()
