#!/bin/sh
# Creates a private certificate authority and the certificates of broker and database, in tls/, and enables TLS in .env.
# A later run keeps the authority, so that boards that trust it need no change, and renews the certificates.
set -eu
cd "$(dirname "$0")/.."

usage() {
  cat <<'HELP'
Usage: ./deploy/certificates.sh NAME…

NAME   a host name or IP address by which boards reach this machine, for example nas.local 192.168.1.10

Boards need tls/ca.crt and connect to mqtts://NAME:8883. Then: docker compose up -d
HELP
}
case ${1:-} in
  '')
    usage >&2
    exit 2
    ;;
  -h | --help)
    usage
    exit 0
    ;;
esac
command -v openssl >/dev/null || {
  echo 'error: openssl is not installed. Install it with your package manager (apt install openssl).' >&2
  exit 1
}
[ -f .env ] || {
  echo 'error: .env does not exist. Run ./deploy/setup.sh first.' >&2
  exit 1
}

names='DNS:mosquitto,DNS:localhost,IP:127.0.0.1'
for name in "$@"; do
  case $name in
    *[!A-Za-z0-9.:-]*)
      echo "error: \"$name\" is not a host name or IP address" >&2
      exit 2
      ;;
    *:* | *[0-9].*[0-9].*[0-9].*[0-9]) names="$names,IP:$name" ;;
    *) names="$names,DNS:$name" ;;
  esac
done

umask 077
mkdir -p tls
chmod 755 tls
cd tls

if [ ! -f ca.key ]; then
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 3650 -subj '/CN=qs-telemetry private CA' -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
  echo 'Created tls/ca.crt, for boards, and tls/ca.key. Anyone who has the key can impersonate your broker: keep a copy off this machine.'
fi

# issue FILE NAMES: a key, and a certificate from the authority for 825 days (the most that Apple devices accept)
issue() {
  extensions=$(mktemp)
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$2" >"$extensions"
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key.new"
  openssl req -new -key "$1.key.new" -subj "/CN=$1" |
    openssl x509 -req -sha256 -days 825 -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" \
      -extfile "$extensions" -out "$1.crt.new" 2>/dev/null
  rm -f "$extensions"
  # The containers read it by its group, TLS_GID in .env.
  chmod 640 "$1.key.new"
  chmod 644 "$1.crt.new"
  mv "$1.key.new" "$1.key"
  mv "$1.crt.new" "$1.crt"
}
issue mosquitto "$names"
issue postgres DNS:postgres,DNS:localhost
chmod 644 ca.crt
cd ..

# set_line NAME VALUE: adds the line to .env unless NAME is set already
set_line() {
  grep -q "^[[:space:]]*$1=" .env && return
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  printf '%s=%s\n' "$1" "$2" >>.env
}
set_line COMPOSE_FILE compose.yaml:compose.tls.yaml
set_line TLS_GID "$(id -g)"

cat <<NEXT
Certificates for $names: tls/mosquitto.crt, tls/postgres.crt, until $(openssl x509 -in tls/mosquitto.crt -noout -enddate | cut -d= -f2).

Next:
  docker compose up -d --force-recreate
  mosquitto_pub --cafile tls/ca.crt -h $1 -p 8883 …

In .env, MQTT_PUBLIC_URL=mqtts://$1:8883 makes qs device print it, and MQTT_BIND=127.0.0.1 closes the ports without TLS.
NEXT
