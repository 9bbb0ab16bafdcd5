-- Once, by the owner of the tables, on the coordinator of a Citus cluster, after `qs migrate` and before the first event:
--
--   psql "$DATABASE_URL" --set=ON_ERROR_STOP=1 --single-transaction --file=deploy/citus/distribute.sql
--
-- events is spread by its primary key; all other tables stay on the coordinator. docs/scaling.md says what that means.

select create_distributed_table('events', 'event_id');

\ir functions.sql
