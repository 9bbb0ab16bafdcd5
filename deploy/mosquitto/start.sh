#!/bin/sh
# Starts Mosquitto in its container: mosquitto.conf, plus what depends on the installation. Runs as the account mosquitto,
# on a read-only file system; what it writes is in /tmp and in the volume /mosquitto/data.
set -eu

: "${OPERATOR_MQTT_PASSWORD:?is not set. Run ./deploy/setup.sh once; it writes .env}"
accounts=/mosquitto/data/dynamic-security.json
certificate=/tls/mosquitto.crt

for plugin in /usr/lib/mosquitto_dynamic_security.so /usr/lib/*/mosquitto_dynamic_security.so; do
  [ -e "$plugin" ] && break
done

# The first account, once; `qs provision` creates the others.
[ -s "$accounts" ] || mosquitto_ctrl dynsec init "$accounts" operator "$OPERATOR_MQTT_PASSWORD" >/dev/null

anonymous=false
if [ "${MQTT_ALLOW_ANONYMOUS:-}" = true ]; then
  anonymous=true
  echo 'WARNING: MQTT_ALLOW_ANONYMOUS=true. Anyone in this network can publish events as any device and read all device acks.' >&2
  echo 'WARNING: Only for a lab. Remove the line from .env and run: docker compose up -d' >&2
fi

if [ "${ACK_QOS:-}" = 1 ]; then
  echo 'WARNING: ACK_QOS=1. The broker queues device acks, and a device that never receives its own can fill 512 MiB.' >&2
fi

{
  cat /qs/mosquitto.conf
  echo "allow_anonymous $anonymous"
  echo "plugin $plugin"
  echo "plugin_opt_config_file $accounts"
  echo 'listener 1883'
  echo 'listener 9001'
  echo 'protocol websockets'
  if [ -e "$certificate" ]; then
    echo 'listener 8883'
    echo "certfile $certificate"
    echo 'keyfile /tls/mosquitto.key'
    echo 'tls_version tlsv1.2'
  fi
} >/tmp/mosquitto.conf

# For the health check: its password must not appear in a process list.
umask 077
mkdir -p /tmp/health
printf '%s\n' '-u operator' "-P $OPERATOR_MQTT_PASSWORD" >/tmp/health/mosquitto_sub

exec mosquitto -c /tmp/mosquitto.conf
