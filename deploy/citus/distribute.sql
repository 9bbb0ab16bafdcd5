-- Run once, as the owner of the tables, on the coordinator of a Citus cluster, after `qs migrate` and before the first event:
--
--   psql "$DATABASE_URL" --set=ON_ERROR_STOP=1 --single-transaction --file=deploy/citus/distribute.sql
--
-- events is distributed by its primary key; all other tables stay on the coordinator. docs/scaling.md explains why.
-- series could be distributed by device_id, which is in its key. It stays on the coordinator, where lists read it
-- without a worker, and where two ingesters lock its rows in the same order: shards have none, and they would deadlock.

-- One connection a worker and transaction. In parallel, Citus opens one for each shard and refuses the functions below in
-- this transaction. The database keeps the setting, since a batch of the ingester was reported to cost six times as much CPU
-- without it.
set citus.multi_shard_modify_mode to 'sequential';
select format('alter database %I set citus.multi_shard_modify_mode to sequential', current_database()) \gexec

-- Citus passes these on to the workers. A session there whose coordinator has vanished ends within seconds; by the
-- defaults of Linux, its transaction would lock the ids that it inserted for two hours, and the same batch would wait.
select format('alter database %I set %s', current_database(), setting) from unnest(array[
  'tcp_keepalives_idle = 5', 'tcp_keepalives_interval = 2', 'tcp_keepalives_count = 3',
  'tcp_user_timeout = 11000', 'client_connection_check_interval = 2000'
]) as setting \gexec

select create_distributed_table('events', 'event_id');
-- Rows that were there before, as after a restore, have been copied to the shards.
select truncate_local_data_after_distributing_table('events');

\ir functions.sql
