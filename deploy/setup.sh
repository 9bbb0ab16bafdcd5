#!/bin/sh
# Writes .env for the composed stack: a separate secret for each account, and the address that boards use. Run it once,
# before the first `docker compose up -d`, and again after an upgrade: it adds missing lines and changes no existing
# one. Needs only a POSIX shell.
set -eu
cd "$(dirname "$0")/.."

case ${1:-} in
  '') ;;
  -h | --help)
    cat <<'HELP'
Usage: ./deploy/setup.sh

Writes .env (mode 0600) with generated secrets. Existing lines in .env stay as they are. Then:

  docker compose up -d
  docker compose run --rm qs device add my-esp32
HELP
    exit 0
    ;;
  *)
    echo "error: setup.sh takes no arguments, not \"$1\". See ./deploy/setup.sh --help." >&2
    exit 2
    ;;
esac

umask 077
touch .env
chmod 600 .env
added=''

has() { grep -q "^[[:space:]]*$1=." .env; }

# add NAME VALUE: adds the line unless NAME is set already
add() {
  has "$1" && return
  # Without a final line break, the first added line would continue the last one.
  [ -z "$(tail -c 1 .env)" ] || echo >>.env
  [ -n "$added" ] || printf '\n# Written by deploy/setup.sh. Secrets: keep a copy with your passwords.\n' >>.env
  printf '%s=%s\n' "$1" "$2" >>.env
  added="$added $1"
}

secret() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

for name in POSTGRES_PASSWORD QS_DB_PASSWORD INGESTER_DB_PASSWORD CONSOLE_DB_PASSWORD GRAFANA_DB_PASSWORD \
  OPERATOR_MQTT_PASSWORD INGESTER_MQTT_PASSWORD CONSOLE_OPERATOR_PASSWORD GRAFANA_ADMIN_PASSWORD; do
  add "$name" "$(secret)"
done

# Backups belong to the user who runs this.
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

Console: http://localhost:8080, operator, password CONSOLE_OPERATOR_PASSWORD in .env
Grafana: http://localhost:3000, user admin, password GRAFANA_ADMIN_PASSWORD in .env
Boards:  $(sed -n 's/^[[:space:]]*MQTT_PUBLIC_URL=//p' .env | tail -n 1) (MQTT_PUBLIC_URL in .env; change it if it is wrong)
NEXT
