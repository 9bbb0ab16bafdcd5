/**
 * For a plain database with our tables: what Citus 13.2 has under these names, with two workers that have rows of
 * `events` and one without. The test sets `away`, and in `says` what a worker answers differently from this server.
 */
export const CITUS_STAND_IN = `
create table pg_dist_partition as select 'events'::regclass as logicalrelid, 'h'::"char" as partmethod;
create table pg_dist_node as
  select id as nodeid, id - 1 as groupid, 'worker-' || id as nodename, 5432 as nodeport, false as away, '{}'::jsonb as says
  from generate_series(2, 4) id;
create table pg_dist_shard as select id::bigint as shardid, 'events'::regclass as logicalrelid from generate_series(1, 4) id;
create table pg_dist_placement as select shardid, (1 + shardid % 2)::int as groupid from pg_dist_shard;
create function run_command_on_workers(command text, parallel boolean default true)
returns table (nodename text, nodeport int, success boolean, result text) language plpgsql as $$
declare
  node record;
begin
  for node in select * from pg_dist_node loop
    nodename := node.nodename;
    nodeport := node.nodeport;
    success := not node.away;
    result := format('failed to connect to %s:%s', nodename, nodeport);
    if success then execute command into result; end if;
    if success and node.says <> '{}' then result := result::jsonb || node.says; end if;
    return next;
  end loop;
end $$`
