#!/bin/sh
# Creates or repairs the roles and the database of qs-telemetry. It can be run repeatedly; nothing is lost.
#
#   qs           owns the database qs and runs its migrations
#   qs_ingester  writes what the pipeline writes
#   qs_console   writes what users change in the console; can log in if CONSOLE_DB_PASSWORD is set
#   grafana      reads
#
# In the composed stack the PostgreSQL image runs this at the first start. To change a password later: change it in
# .env, docker compose up -d postgres, then
#
#   docker compose exec postgres /docker-entrypoint-initdb.d/roles.sh
#
# With your own PostgreSQL: as a role that may create roles and databases, with the variables of libpq,
#
#   QS_DB_PASSWORD=… INGESTER_DB_PASSWORD=… CONSOLE_DB_PASSWORD=… GRAFANA_DB_PASSWORD=… PGHOST=… PGUSER=postgres sh roles.sh
#
# Each password may come as NAME_FILE instead. What each role may do with the tables is granted by qs migrate.

# A function in its own process, since the image runs this file or, if it is not executable, sources it.
roles() (
  set -eu

  for name in QS_DB_PASSWORD INGESTER_DB_PASSWORD GRAFANA_DB_PASSWORD CONSOLE_DB_PASSWORD; do
    eval "value=\${$name:-} file=\${${name}_FILE:-}"
    [ -n "$value" ] || [ -z "$file" ] || value=$(cat "$file")
    if [ -z "$value" ] && [ "$name" != CONSOLE_DB_PASSWORD ]; then
      echo "roles.sh: $name is not set. Give each role its own password, for example: openssl rand -hex 24" >&2
      exit 1
    fi
    export "$name=$value"
  done

  PGUSER=${PGUSER:-${POSTGRES_USER:-postgres}}
  PGDATABASE=${PGDATABASE:-${POSTGRES_DB:-postgres}}
  # The cluster of the container has no other users, so only the superuser needs its other databases.
  own_cluster=$([ -n "${POSTGRES_USER:-}" ] && echo 1 || echo 0)
  export PGUSER PGDATABASE

  # psql reads the passwords from its environment: a command line is visible to every user of the machine.
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
    raise exception '% cannot set itself up: run this as another role, such as a superuser', current_user;
  end if;
  -- The statements below contain passwords: keep them out of logs and statistics.
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
    raise exception 'this server logs statements, including the passwords; run this as a superuser, which can turn that off';
  end if;
end $$;

select format('create role %I', name) from unnest(array['qs', 'qs_ingester', 'qs_console', 'grafana']) name
where to_regrole(name) is null \gexec
-- Only if needed: a role that is not a superuser may not even say nosuperuser.
select format('alter role %I nosuperuser nocreatedb nocreaterole noreplication nobypassrls', rolname)
from pg_roles where rolname in ('qs', 'qs_ingester', 'qs_console', 'grafana')
and (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls) \gexec

-- Limits for each role; an ingester needs DATABASE_WRITERS and four more.
alter role qs login password :'qs_password';
alter role qs_ingester login connection limit 60 password :'ingester_password';
alter role grafana login connection limit 20 password :'grafana_password';
\if :has_console
  alter role qs_console login connection limit 40 password :'console_password';
\endif

-- Longer than DATABASE_TIMEOUT can grow, so that it ends only statements that nothing waits for.
alter role qs_ingester set statement_timeout = '5min';
alter role qs_ingester set idle_in_transaction_session_timeout = '60s';

-- The console sets a timeout for each statement; this is for any that it misses.
alter role qs_console set statement_timeout = '10min';
alter role qs_console set idle_in_transaction_session_timeout = '60s';

alter role grafana set statement_timeout = '30s';
alter role grafana set lock_timeout = '5s';
-- Defaults only: a session may change these, and its timeouts.
alter role grafana set work_mem = '16MB';
alter role grafana set hash_mem_multiplier = 1;
alter role grafana set max_parallel_workers_per_gather = 1;
alter role grafana set idle_in_transaction_session_timeout = '30s';
alter role grafana set default_transaction_read_only = on;
-- A runaway sort must not fill the disk that events need. Unlike the others, grafana cannot change this one.
select 'alter role grafana set temp_file_limit = ''2GB''' from pg_roles where rolname = current_user and rolsuper \gexec

-- A role that is not a superuser may give a database only to a role that it is a member of.
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
-- The default since PostgreSQL 15; a database from an older version differs.
select 'alter schema public owner to pg_database_owner' from pg_namespace
where nspname = 'public' and nspowner <> 'pg_database_owner'::regrole \gexec
revoke create on schema public from public, qs_ingester, qs_console, grafana;
grant usage on schema public to qs_ingester, qs_console, grafana;
-- Otherwise every role may create large objects and fill the disk with them.
select 'revoke execute on function lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) from public'
from pg_roles where rolname = current_user and rolsuper \gexec
-- Names and sizes of files only: qs storage and the page Storage show what the log takes.
select 'grant execute on function pg_ls_waldir() to qs, qs_ingester, qs_console'
from pg_roles where rolname = current_user and rolsuper \gexec
-- The name of a running ingester is an advisory lock, and so is the right to migrate: a read-only role must not take them.
select format('revoke execute on function %s from public', oid::regprocedure),
  format('grant execute on function %s to qs, qs_ingester, qs_console', oid::regprocedure)
from pg_proc
where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
and (select rolsuper from pg_roles where rolname = current_user) \gexec
SQL
  echo 'roles.sh: the roles qs, qs_ingester, qs_console and grafana and the database qs are set up'
)

roles
