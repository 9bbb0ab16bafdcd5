#!/bin/sh
# Creates the roles and the database of qs-telemetry, or mends them: as often as you like, nothing is lost by it.
#
#   qs           owns the database qs and runs its migrations
#   qs_ingester  writes what the pipeline writes
#   qs_console   what people do in the console; logs in where CONSOLE_DB_PASSWORD is given
#   grafana      reads
#
# In the composed stack the PostgreSQL image runs this at the first start. To change a password later: change it in
# .env, docker compose up -d postgres, then
#
#   docker compose exec postgres /docker-entrypoint-initdb.d/roles.sh
#
# With a PostgreSQL of your own: as a role that may create roles and databases, with the variables of libpq,
#
#   QS_DB_PASSWORD=… INGESTER_DB_PASSWORD=… CONSOLE_DB_PASSWORD=… GRAFANA_DB_PASSWORD=… PGHOST=… PGUSER=postgres sh roles.sh
#
# Each password may come as NAME_FILE instead. What each role may do with the tables is granted by qs migrate.

# A function with a process of its own, since the image runs this file or, where it is not executable, reads it.
roles() (
  set -eu

  for name in QS_DB_PASSWORD INGESTER_DB_PASSWORD GRAFANA_DB_PASSWORD CONSOLE_DB_PASSWORD; do
    eval "value=\${$name:-} file=\${${name}_FILE:-}"
    [ -n "$value" ] || [ -z "$file" ] || value=$(cat "$file")
    if [ -z "$value" ] && [ "$name" != CONSOLE_DB_PASSWORD ]; then
      echo "roles.sh: $name is not set. Give each role a password of its own, for example: openssl rand -hex 24" >&2
      exit 1
    fi
    export "$name=$value"
  done

  PGUSER=${PGUSER:-${POSTGRES_USER:-postgres}}
  PGDATABASE=${PGDATABASE:-${POSTGRES_DB:-postgres}}
  # The cluster of the container has no other users, so nobody but the superuser needs its other databases.
  own_cluster=$([ -n "${POSTGRES_USER:-}" ] && echo 1 || echo 0)
  export PGUSER PGDATABASE

  # psql reads the passwords from its environment: a command line could be seen by everybody on the machine.
  psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=own_cluster="$own_cluster" \
    --set=has_console="$([ -n "$CONSOLE_DB_PASSWORD" ] && echo 1 || echo 0)" <<'SQL'
\set VERBOSITY terse
\getenv qs_password QS_DB_PASSWORD
\getenv ingester_password INGESTER_DB_PASSWORD
\getenv grafana_password GRAFANA_DB_PASSWORD
\getenv console_password CONSOLE_DB_PASSWORD
set client_min_messages = warning;

do $$
declare
  setting text[];
begin
  if current_setting('server_version_num')::int < 150000 then
    raise exception 'PostgreSQL 15 or newer is needed, this one is %', current_setting('server_version');
  end if;
  if current_user in ('qs', 'qs_ingester', 'qs_console', 'grafana') then
    raise exception '% cannot set itself up: run this as another role, a superuser for example', current_user;
  end if;
  -- The statements below hold passwords: none of them into a log, nor into the statistics.
  foreach setting slice 1 in array array[
    ['log_statement', 'none'], ['log_min_error_statement', 'panic'], ['log_min_duration_statement', '-1'],
    ['log_min_duration_sample', '-1'], ['log_transaction_sample_rate', '0'], ['pg_stat_statements.track', 'none']]
  loop
    begin
      perform set_config(setting[1], setting[2], false);
    exception when insufficient_privilege then
      null;
    end;
  end loop;
  if current_setting('log_statement') <> 'none' then
    raise exception 'this server logs statements, and so the passwords; run this as a superuser, who can turn that off';
  end if;
end $$;

select format('create role %I', name) from unnest(array['qs', 'qs_ingester', 'qs_console', 'grafana']) name
where to_regrole(name) is null \gexec
-- Only where it is needed: who is no superuser may not even say nosuperuser.
select format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', rolname)
from pg_roles where rolname in ('qs', 'qs_ingester', 'qs_console', 'grafana')
and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls) \gexec

-- What each gets through; an ingester needs DATABASE_WRITERS and four more.
alter role qs login password :'qs_password';
alter role qs_ingester login connection limit 60 password :'ingester_password';
alter role grafana login connection limit 20 password :'grafana_password';
\if :has_console
  alter role qs_console login connection limit 40 password :'console_password';
\endif

-- Longer than any DATABASE_TIMEOUT grows, so that it ends only what nobody waits for any more.
alter role qs_ingester set statement_timeout = '5min';
alter role qs_ingester set idle_in_transaction_session_timeout = '60s';

-- The console says for each statement how long it may take; this is for what it forgets.
alter role qs_console set statement_timeout = '10min';
alter role qs_console set idle_in_transaction_session_timeout = '60s';

alter role grafana set statement_timeout = '30s';
alter role grafana set lock_timeout = '5s';
-- Defaults only: a session may set these itself, as it may its time-outs.
alter role grafana set work_mem = '16MB';
alter role grafana set hash_mem_multiplier = 1;
alter role grafana set max_parallel_workers_per_gather = 1;
alter role grafana set idle_in_transaction_session_timeout = '30s';
alter role grafana set default_transaction_read_only = on;
-- A sort that got out of hand must not fill the disk that events need. Unlike the others grafana cannot change it.
select 'alter role grafana set temp_file_limit = ''2GB''' from pg_roles where rolname = current_user and rolsuper \gexec

-- Who is no superuser may give a database only to a role that it belongs to.
select format('grant qs to %I', current_user) from pg_roles where rolname = current_user and not rolsuper \gexec
select 'create database qs owner qs' where not exists (select from pg_database where datname = 'qs') \gexec
alter database qs owner to qs;
\if :own_cluster
  revoke connect, temporary on database postgres, template1 from public;
\endif

\connect qs
set client_min_messages = warning;
revoke all on database qs from public;
grant connect on database qs to qs_ingester, qs_console, grafana;
-- The default since PostgreSQL 15; a database that came from an older one has it otherwise.
select 'alter schema public owner to pg_database_owner' from pg_namespace
where nspname = 'public' and nspowner <> 'pg_database_owner'::regrole \gexec
revoke create on schema public from public, qs_ingester, qs_console, grafana;
grant usage on schema public to qs_ingester, qs_console, grafana;
-- Everybody may make large objects otherwise, and fill the disk with them.
select 'revoke execute on function lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) from public'
from pg_roles where rolname = current_user and rolsuper \gexec
-- The name of a running ingester is an advisory lock, and so is the right to migrate: a role that reads must not take them.
select format('revoke execute on function %s from public', oid::regprocedure),
  format('grant execute on function %s to qs, qs_ingester, qs_console', oid::regprocedure)
from pg_proc
where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
and (select rolsuper from pg_roles where rolname = current_user) \gexec
SQL
  echo 'roles.sh: the roles qs, qs_ingester, qs_console and grafana and the database qs are set up'
)

roles
