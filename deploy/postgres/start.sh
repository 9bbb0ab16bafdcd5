#!/bin/sh
# Starts PostgreSQL in its container: with postgresql.conf, and with TLS if there is a certificate. PostgreSQL refuses
# a key that others can read, so it gets its own copy in memory.
set -eu
set -- postgres -c config_file=/qs/postgresql.conf
if [ -e /tls/postgres.crt ]; then
  install -m 600 /tls/postgres.key /tmp/postgres.key
  set -- "$@" -c ssl=on -c ssl_cert_file=/tls/postgres.crt -c ssl_key_file=/tmp/postgres.key -c ssl_min_protocol_version=TLSv1.2
fi
exec docker-entrypoint.sh "$@"
