#!/bin/sh
# Writes .env for the composed stack: a secret of its own for each account, and the address that boards use. Run it once,
# before the first `docker compose up -d`, and again after an upgrade: it adds what is missing and changes nothing that
# is there. Needs a POSIX shell and nothing else.
set -eu
cd "$(dirname "$0")/.."

case ${1:-} in
  '') ;;
  -h | --help)
    cat <<'HELP'
Usage: ./deploy/setup.sh

Writes .env (mode 0600) with generated secrets. What is in .env already stays as it is. Then:

  docker compose up -d
  docker compose run --rm qs device add my-esp32
HELP
    exit 0
    ;;
  *)
    echo "error: setup.sh takes no arguments, not \"$1\". ./deploy/setup.sh --help says what it does." >&2
    exit 2
    ;;
esac

umask 077
touch .env
chmod 600 .env
added=''

has() { grep -q "^[[:space:]]*$1=." .env; }

# add NAME VALUE: unless it is there
add() {
  has "$1" && return
  # A file whose last line has no end would swallow the first line of ours.
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  [ -n "$added" ] || printf '\n# Written by deploy/setup.sh. Secrets: keep a copy where your passwords are.\n' >>.env
  printf '%s=%s\n' "$1" "$2" >>.env
  added="$added $1"
}

secret() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

for name in POSTGRES_PASSWORD QS_DB_PASSWORD INGESTER_DB_PASSWORD CONSOLE_DB_PASSWORD GRAFANA_DB_PASSWORD \
  OPERATOR_MQTT_PASSWORD INGESTER_MQTT_PASSWORD CONSOLE_OPERATOR_PASSWORD GRAFANA_ADMIN_PASSWORD; do
  add "$name" "$(secret)"
done

# Backups belong to whoever runs this.
add QS_UID "$(id -u)"
add QS_GID "$(id -g)"
mkdir -p backups

address=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | head -n 1)
[ -n "$address" ] || address=$(ipconfig getifaddr en0 2>/dev/null || hostname -I 2>/dev/null | cut -d ' ' -f 1 || true)
[ -z "$address" ] || add MQTT_PUBLIC_URL "mqtt://$address:1883"

if [ -z "$added" ]; then
  echo '.env is complete; nothing was changed.'
else
  echo "Wrote to .env:$added"
fi
cat <<NEXT

Next:
  docker compose up -d                                # a few minutes the first time
  docker compose run --rm qs device add my-esp32      # user and password for a board, with code to paste

Console: http://localhost:8080, operator, password CONSOLE_OPERATOR_PASSWORD of .env
Grafana: http://localhost:3000, user admin, password GRAFANA_ADMIN_PASSWORD of .env
Boards:  $(sed -n 's/^[[:space:]]*MQTT_PUBLIC_URL=//p' .env | tail -n 1) (MQTT_PUBLIC_URL of .env; change it where it is wrong)
NEXT
