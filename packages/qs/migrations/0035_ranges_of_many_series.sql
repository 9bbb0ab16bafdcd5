-- More functions for readers of a range, for the reason in 0033: for all series, for several, and for the newest of several. On
-- Citus a function of one series is a statement to each shard; a panel of a thousand devices took half a minute.

create or replace function arrivals_between(since timestamptz, before timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language sql stable as $$
  select e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
    e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
  from bounded_events e
  where e.ts_server >= since and e.ts_server < before and e.last_seen >= since and e.first_seen < before
$$;

comment on function arrivals_between is 'The events of all series by server time: since <= ts_server < before';

-- offset 0 keeps the planner from joining the series with all events of that time.
create or replace function times_between(of_devices text[], of_types text[], since timestamptz, until timestamptz)
returns table (
  device_id text, event_type text, ts timestamptz, ts_device timestamptz, ts_device_raw text, ts_server timestamptz
)
language sql stable as $$
  select s.device_id, s.event_type, e.ts, e.ts_device, e.ts_device_raw, e.ts_server
  from unnest(of_devices, of_types) as s(device_id, event_type), lateral (
    select b.ts, b.ts_device, b.ts_device_raw, b.ts_server from bounded_events b
    where b.device_id = s.device_id and b.event_type = s.event_type and b.ts between since and until
      and b.last_ts >= since and b.first_ts <= until
    offset 0) e
$$;

comment on function times_between is
  'The times of the events of several series, each a device and a type at the same place, by event time: since <= ts <= until';

-- One series after the other: sorting the events of all of them took twice as long.
create or replace function gaps_between(of_devices text[], of_types text[], since timestamptz, until timestamptz)
returns table (device_id text, event_type text, events bigint, longest interval, latest timestamptz)
language sql stable as $$
  select s.device_id, s.event_type, g.events, g.longest, g.latest
  from unnest(of_devices, of_types) as s(device_id, event_type), lateral (
    select count(*) as events, max(d.distance) as longest, max(d.ts) as latest
    from (
      select e.ts, e.ts - lag(e.ts) over (order by e.ts) as distance
      from events_between(s.device_id, s.event_type, since, until) e) d
    having count(*) > 0) g
$$;

comment on function gaps_between is
  'The longest time without an event in several series, each a device and a type at the same place, by event time: since <= ts <= until';

create or replace function numbers_by_series(of_devices text[], of_types text[], since timestamptz, before timestamptz, width interval)
returns table (device_id text, at timestamptz, unit text, events bigint, total double precision)
language sql stable as $$
  select s.device_id, n.at, n.unit, n.events, n.total
  from unnest(of_devices, of_types) as s(device_id, event_type), event_numbers(s.device_id, s.event_type, since, before, width) n
$$;

comment on function numbers_by_series is
  'event_numbers of several series of different devices, each a device and a type at the same place';

create or replace function newest_metas(of_devices text[], of_types text[])
returns table (device_id text, event_type text, ts timestamptz, meta jsonb)
language sql stable as $$
  select s.device_id, s.event_type, e.ts, e.meta
  from unnest(of_devices, of_types) as s(device_id, event_type), newest_events(s.device_id, s.event_type, 1) e
$$;

comment on function newest_metas is 'What came in meta with the newest event of several series, each a device and a type at the same place';

-- Estimates, as PostgreSQL has them. What is elsewhere is not in the size of this database: the shards of Citus.
create or replace function events_size()
returns table (rows double precision, data double precision, indexes double precision, elsewhere double precision)
language sql stable as $$
  select greatest(c.reltuples, s.n_live_tup)::float8, pg_table_size(c.oid)::float8, pg_indexes_size(c.oid)::float8, 0::float8
  from pg_class c join pg_stat_user_tables s on s.relid = c.oid
  where c.oid = 'events'::regclass
$$;

comment on function events_size is 'About how many rows events has, and their bytes';
