-- Run once, as the owner of the tables, on the coordinator of a Citus cluster, after `qs migrate` and before the first event:
--
--   psql "$DATABASE_URL" --set=ON_ERROR_STOP=1 --single-transaction --file=deploy/citus/distribute.sql
--
-- events is distributed by its primary key; all other tables stay on the coordinator. docs/scaling.md explains why.
-- series could be distributed by device_id, which is in its key. It stays on the coordinator, where lists read it
-- without a worker, and where two ingesters lock its rows in the same order: shards have none, and they would deadlock.

set citus.multi_shard_modify_mode to 'sequential';
\ir settings.sql

select create_distributed_table('events', 'event_id');
-- Rows that were there before, as after a restore, have been copied to the shards.
select truncate_local_data_after_distributing_table('events');

\ir functions.sql
