-- Once, by the owner of the tables, on the coordinator of a Citus cluster, after `qs migrate` and before the first event:
--
--   psql "$DATABASE_URL" --set=ON_ERROR_STOP=1 --single-transaction --file=deploy/citus/distribute.sql
--
-- events is spread by its primary key; all other tables stay on the coordinator. docs/scaling.md says what that means.
-- series could be spread by device_id, which is in its key. It stays on the coordinator, where lists read it without asking a
-- worker, and where two ingesters lock its rows in one order: among shards there is none, and they would deadlock.

select create_distributed_table('events', 'event_id');

\ir functions.sql
