#!/bin/sh
# Sends one value and waits for its device ack; sends the same event again until there is one.
#
#   ./send.sh temp 21.5 C
#   HOST=192.168.1.10 PORT=1883 DEVICE=shell-1 ./send.sh door '"open"'
#
# Exits 0 when the event is stored (or already was), 1 when it is rejected, 2 when there is no device ack.
set -u

HOST=${HOST:-127.0.0.1}
PORT=${PORT:-1883}
DEVICE=${DEVICE:-shell-1}
ATTEMPTS=${ATTEMPTS:-5}

if [ $# -lt 2 ]; then
  echo "usage: $0 <event_type> <value as JSON> [unit]" >&2
  exit 2
fi

# One id for all attempts makes them the same event.
id="$DEVICE-$(date +%s)-$$"
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
unit=${3:+",\"unit\":\"$3\""}
event="{\"schema\":1,\"event_id\":\"$id\",\"device_id\":\"$DEVICE\",\"event_type\":\"$1\",\"value\":$2$unit,\"ts_device\":\"$now\"}"

# The client id is the device's: an account of a device is bound to it.
set -- -h "$HOST" -p "$PORT" -i "$DEVICE"
if [ -n "${MQTT_USERNAME:-}" ]; then set -- "$@" -u "$MQTT_USERNAME" -P "${MQTT_PASSWORD:-}"; fi

attempt=1
while [ "$attempt" -le "$ATTEMPTS" ]; do
  # Subscribes to the device acks first, then publishes, then waits for one message.
  ack=$(mosquitto_rr "$@" -q 1 -W 5 -t "qs/v1/$DEVICE/events" -e "qs/v1/$DEVICE/acks" -m "$event")
  case $ack in
    *"\"event_id\":\"$id\""*'"status":"rejected"'*) echo "$ack"; exit 1 ;;
    *"\"event_id\":\"$id\""*) echo "$ack"; exit 0 ;;
    # The given JSON could not be read: there is no id, and another attempt would not help.
    *'"event_id":null'*) echo "$ack"; exit 1 ;;
  esac
  echo "no device ack, attempt $attempt of $ATTEMPTS: $id" >&2
  attempt=$((attempt + 1))
  sleep 1
done
exit 2
