#!/bin/bash
# Like the official image: a new data directory is set up from POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB
# and the scripts of /docker-entrypoint-initdb.d, on a server that listens only on its socket.
set -eu
if [ "$1" != postgres ] || [ -s "$PGDATA/PG_VERSION" ]; then exec "$@"; fi
: "${POSTGRES_PASSWORD:?is not set}"
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --auth-local=trust --auth-host=scram-sha-256 \
  ${POSTGRES_INITDB_ARGS:-} >/dev/null
echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "${@:2}") -c listen_addresses= -p 5432" start
psql=(psql -v ON_ERROR_STOP=1 --no-password --username "$user")
[ "$database" = postgres ] || "${psql[@]}" --dbname postgres -c "create database \"$database\""
psql+=(--dbname "$database")
for script in /docker-entrypoint-initdb.d/*; do
  case $script in
    *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
    *.sql) "${psql[@]}" -f "$script" ;;
  esac
done
pg_ctl -D "$PGDATA" -m fast -w stop
exec "$@"
