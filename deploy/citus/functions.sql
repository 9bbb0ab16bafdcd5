-- The functions of packages/qs/migrations that read events, rewritten for Citus: over a distributed table it refuses
-- recursive CTEs and lateral subqueries with a limit, also in SQL functions, but accepts PL/pgSQL functions, whose
-- statements run separately. Segments stay on the coordinator: events are fetched into a CTE, which becomes an intermediate
-- result, before segments join them. The results are the same; packages/qs/test/database/citus.test.ts compares them.

create or replace function newest_events(
  of_device text, of_type text, at_most bigint,
  since timestamptz default '-infinity', before timestamptz default 'infinity', before_id text default '',
  only_texts boolean default false
)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
declare
  recents bigint;
  reach timestamptz;
  enough timestamptz;
begin
  select count(*), min(r.at) into recents, reach from (
    select e.ts as at from events e
    where e.device_id = of_device and e.event_type = of_type
      and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
      and (not only_texts or e.value_text is not null)
    order by e.ts desc, e.event_id desc limit at_most) r;
  if recents < at_most then reach := since; end if;
  select min(n.first_ts) into enough from (
    select s.first_ts, sum(case when only_texts then s.texts else s.events end)
      over (order by s.last_ts desc rows between unbounded preceding and 1 preceding) as newer
    from (
      select * from event_segments s
      where s.device_id = of_device and s.event_type = of_type and s.last_ts < before and s.last_ts >= reach and (not only_texts or s.texts > 0)
      order by s.last_ts desc limit at_most) s) n
  where n.newer is null or n.newer < at_most;
  return query
    with recent as materialized (
      select * from events e
      where e.device_id = of_device and e.event_type = of_type
      and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
      and (not only_texts or e.value_text is not null)
      order by e.ts desc, e.event_id desc limit at_most
    )
    select * from (
      select * from recent
      union all
      select s.event_id, s.device_id, s.event_type, s.value_num, s.value_text, s.unit, s.ts, s.ts_device, s.ts_device_local,
          s.ts_device_raw, s.ts_server, s.schema, s.meta, s.value_exact
      from sealed_events s
      where s.device_id = of_device and s.event_type = of_type and s.last_ts >= greatest(reach, enough) and s.first_ts <= before
        and s.ts >= since and (s.ts, s.event_id) < (before, before_id) and (not only_texts or s.value_text is not null)
    ) e
    order by e.ts desc, e.event_id collate "C" desc limit at_most;
end $$;

create or replace function newest_arrivals(
  at_most bigint, since timestamptz default '-infinity', before timestamptz default 'infinity', before_id text default '',
  of_types text[] default null, only_texts boolean default false, of_devices text[] default null,
  only_misdated boolean default false
)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
declare
  recents bigint;
  reach timestamptz;
  enough timestamptz;
begin
  select count(*), min(r.at) into recents, reach from (
    select e.ts_server as at from events e
    where e.ts_server >= since and (e.ts_server, e.event_id) < (before, before_id)
      and (of_types is null or e.event_type = any(of_types)) and (not only_texts or e.value_text is not null)
      and (of_devices is null or e.device_id = any(of_devices))
      and (not only_misdated or e.ts_device <> e.ts or e.ts_device_raw is not null)
    order by e.ts_server desc, e.event_id desc limit at_most) r;
  if recents < at_most then reach := since; end if;
  select min(n.first_seen) into enough from (
    select s.first_seen, sum(case when only_misdated then s.misdated when only_texts then s.texts else s.events end)
      over (order by s.last_seen desc rows between unbounded preceding and 1 preceding) as newer
    from (
      select * from event_segments s
      where (of_types is null or s.event_type = any(of_types)) and s.last_seen < before and s.last_seen >= reach and (not only_texts or s.texts > 0)
        and (of_devices is null or s.device_id = any(of_devices)) and (not only_misdated or s.misdated > 0)
      order by s.last_seen desc limit at_most) s) n
  where n.newer is null or n.newer < at_most;
  return query
    with recent as materialized (
      select * from events e
      where e.ts_server >= since and (e.ts_server, e.event_id) < (before, before_id)
      and (of_types is null or e.event_type = any(of_types)) and (not only_texts or e.value_text is not null)
      and (of_devices is null or e.device_id = any(of_devices))
      and (not only_misdated or e.ts_device <> e.ts or e.ts_device_raw is not null)
      order by e.ts_server desc, e.event_id desc limit at_most
    )
    select * from (
      select * from recent
      union all
      select s.event_id, s.device_id, s.event_type, s.value_num, s.value_text, s.unit, s.ts, s.ts_device, s.ts_device_local,
          s.ts_device_raw, s.ts_server, s.schema, s.meta, s.value_exact
      from sealed_events s
      where (of_types is null or s.event_type = any(of_types)) and s.last_seen >= greatest(reach, enough) and s.first_seen <= before
        and s.ts_server >= since and (s.ts_server, s.event_id) < (before, before_id)
        and (not only_texts or s.value_text is not null)
      and (of_devices is null or s.device_id = any(of_devices))
      and (not only_misdated or s.ts_device <> s.ts or s.ts_device_raw is not null)
    ) e
    order by e.ts_server desc, e.event_id collate "C" desc limit at_most;
end $$;

create or replace function events_between(of_device text, of_type text, since timestamptz, until timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
begin
  return query
    select * from events e
    where e.device_id = of_device and e.event_type = of_type and e.ts between since and until;
  return query
    select s.event_id, s.device_id, s.event_type, s.value_num, s.value_text, s.unit, s.ts, s.ts_device, s.ts_device_local,
          s.ts_device_raw, s.ts_server, s.schema, s.meta, s.value_exact
    from sealed_events s
    where s.device_id = of_device and s.event_type = of_type and s.ts between since and until
      and s.last_ts >= since and s.first_ts <= until;
end $$;

create or replace function numbers_between(of_device text, of_type text, since timestamptz, before timestamptz)
returns table (ts timestamptz, value_num double precision, unit text)
language plpgsql stable as $$
begin
  return query
    select e.ts, e.value_num, e.unit from events e
    where e.device_id = of_device and e.event_type = of_type and e.ts >= since and e.ts < before and e.value_num is not null;
  return query
    select s.ts, s.value_num, s.unit from sealed_numbers s
    where s.device_id = of_device and s.event_type = of_type and s.ts >= since and s.ts < before
      and s.last_ts >= since and s.first_ts < before and s.value_num is not null;
end $$;

create or replace function events_on_axis(of_device text, of_type text, of_axis text, since timestamptz, before timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
begin
  return query
    select * from events e
    where e.device_id = of_device and e.event_type = of_type
      and case of_axis
        when 'event' then e.ts >= since and e.ts < before
        when 'device' then e.ts_device >= since and e.ts_device < before
        when 'server' then e.ts_server >= since and e.ts_server < before
      end;
  return query
    select s.event_id, s.device_id, s.event_type, s.value_num, s.value_text, s.unit, s.ts, s.ts_device, s.ts_device_local,
          s.ts_device_raw, s.ts_server, s.schema, s.meta, s.value_exact
    from sealed_events s
    where s.device_id = of_device and s.event_type = of_type
      and case of_axis
        when 'event' then s.ts >= since and s.ts < before and s.last_ts >= since and s.first_ts < before
        when 'device' then s.ts_device >= since and s.ts_device < before and s.last_device >= since and s.first_device < before
        when 'server' then s.ts_server >= since and s.ts_server < before and s.last_seen >= since and s.first_seen < before
      end;
end $$;

create or replace function event_numbers(
  of_device text, of_type text, since timestamptz, before timestamptz, width interval, origin timestamptz default 'epoch'
)
returns table (
  at timestamptz, unit text, events bigint, low double precision, high double precision, total double precision
)
language plpgsql stable as $$
begin
  return query
    with recent as materialized (
      select date_bin(width, e.ts, origin) as at, coalesce(e.unit, '') as unit, count(*) as events, min(e.value_num) as low,
        max(e.value_num) as high, coalesce(sum(e.value_num) filter (where abs(e.value_num) < 1e300), 0) as total
      from events e
      where e.device_id = of_device and e.event_type = of_type and e.ts >= since and e.ts < before
        and e.value_num is not null
      group by 1, 2
    )
    select p.at, p.unit, sum(p.events)::bigint, min(p.low), max(p.high), sum(p.total)
    from (
      select * from recent
      union all
      select date_bin(width, s.ts, origin), coalesce(s.unit, ''), count(*), min(s.value_num), max(s.value_num),
        coalesce(sum(s.value_num) filter (where abs(s.value_num) < 1e300), 0)
      from sealed_numbers s
      where s.device_id = of_device and s.event_type = of_type and s.ts >= since and s.ts < before
        and s.last_ts >= since and s.first_ts < before
      group by 1, 2) p
    group by p.at, p.unit;
end $$;

-- Rows and segments in two statements: in one, Citus does not let PostgreSQL plan what is about segments only.
create or replace function clock_ahead(of_device text, since timestamptz, before timestamptz, width interval)
returns table (at timestamptz, ahead double precision)
language plpgsql stable as $$
declare
  types text[];
  places timestamptz[];
  times timestamptz[];
  aheads numeric[];
begin
  with newest as materialized (
    select e.event_type, date_bin(width, e.ts, 'epoch') as at, max(e.ts) as ts
    from events e
    where e.device_id = of_device and e.ts >= since and e.ts < before and e.ts_device is not null
    group by 1, 2
  ), recent as materialized (
    select n.event_type, n.at, n.ts, max(extract(epoch from e.ts_device - e.ts_server)) as ahead
    from events e join newest n on e.event_type = n.event_type and e.ts = n.ts
    where e.device_id = of_device and e.ts_device is not null
    group by 1, 2, 3
  )
  select array_agg(r.event_type), array_agg(r.at), array_agg(r.ts), array_agg(r.ahead) into types, places, times, aheads
  from recent r;
  return query
    select distinct on (p.event_type, p.at) p.at, p.ahead::double precision
    from (
      select r.* from unnest(types, places, times, aheads) as r(event_type, at, ts, ahead)
      union all
      select s.event_type, b.at, x.ts, x.ahead
      from series s
      cross join generate_series(date_bin(width, since, 'epoch'), before, width) as b(at)
      cross join lateral (
        select e.ts, extract(epoch from e.ts_device - e.ts_server) as ahead from sealed_events e
        where e.segment_id = (
            select g.segment_id from event_segments g
            where g.device_id = s.device_id and g.event_type = s.event_type and g.last_ts >= greatest(b.at, since)
              and g.first_ts < least(b.at + width, before) and g.first_device is not null
            order by g.last_ts desc limit 1)
          and e.ts >= greatest(b.at, since) and e.ts < least(b.at + width, before) and e.ts_device is not null
        order by e.ts desc limit 1) x
      where s.device_id = of_device) p
    order by p.event_type, p.at, p.ts desc, p.ahead desc;
end $$;

create or replace function clock_drift_between(since timestamptz, before timestamptz)
returns table (
  device_id text, event_id text, event_type text, ts_server timestamptz, ts_device timestamptz, offset_seconds double precision,
  plausible boolean
)
language plpgsql stable as $$
begin
  return query select d.* from clock_drift d where d.ts_server >= since and d.ts_server < before;
  return query
    select s.device_id, s.event_id, s.event_type, s.ts_server, s.ts_device,
      extract(epoch from s.ts_device - s.ts_server)::double precision, s.ts = s.ts_device
    from sealed_events s
    where s.ts_server >= since and s.ts_server < before and s.last_seen >= since and s.first_seen < before
      and s.ts_device is not null;
end $$;

create or replace function arrivals_between(since timestamptz, before timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
begin
  return query select * from events e where e.ts_server >= since and e.ts_server < before;
  return query
    select s.event_id, s.device_id, s.event_type, s.value_num, s.value_text, s.unit, s.ts, s.ts_device, s.ts_device_local,
      s.ts_device_raw, s.ts_server, s.schema, s.meta, s.value_exact
    from sealed_events s
    where s.ts_server >= since and s.ts_server < before and s.last_seen >= since and s.first_seen < before;
end $$;

create or replace function times_between(of_devices text[], of_types text[], since timestamptz, until timestamptz)
returns table (
  device_id text, event_type text, ts timestamptz, ts_device timestamptz, ts_device_raw text, ts_server timestamptz
)
language plpgsql stable as $$
begin
  return query
    select e.device_id, e.event_type, e.ts, e.ts_device, e.ts_device_raw, e.ts_server
    from events e join unnest(of_devices, of_types) as s(device_id, event_type)
      on e.device_id = s.device_id and e.event_type = s.event_type
    where e.ts between since and until;
  return query
    select e.device_id, e.event_type, e.ts, e.ts_device, e.ts_device_raw, e.ts_server
    from sealed_events e join unnest(of_devices, of_types) as s(device_id, event_type)
      on e.device_id = s.device_id and e.event_type = s.event_type
    where e.ts between since and until and e.last_ts >= since and e.first_ts <= until;
end $$;

create or replace function gaps_between(of_devices text[], of_types text[], since timestamptz, until timestamptz)
returns table (device_id text, event_type text, events bigint, longest interval, latest timestamptz)
language plpgsql stable as $$
begin
  return query
    select d.device_id, d.event_type, count(*), max(d.distance), max(d.ts)
    from (
      select e.device_id, e.event_type, e.ts, e.ts - lag(e.ts) over (partition by e.device_id, e.event_type order by e.ts) as distance
      from times_between(of_devices, of_types, since, until) e) d
    group by 1, 2;
end $$;

create or replace function numbers_by_series(of_devices text[], of_types text[], since timestamptz, before timestamptz, width interval)
returns table (device_id text, at timestamptz, unit text, events bigint, total double precision)
language plpgsql stable as $$
begin
  return query
    with recent as materialized (
      select e.device_id, date_bin(width, e.ts, 'epoch') as at, coalesce(e.unit, '') as unit, count(*) as events,
        coalesce(sum(e.value_num) filter (where abs(e.value_num) < 1e300), 0) as total
      from events e join unnest(of_devices, of_types) as s(device_id, event_type)
        on e.device_id = s.device_id and e.event_type = s.event_type
      where e.ts >= since and e.ts < before and e.value_num is not null
      group by 1, 2, 3
    )
    select p.device_id, p.at, p.unit, sum(p.events)::bigint, sum(p.total)
    from (
      select * from recent
      union all
      select n.device_id, date_bin(width, n.ts, 'epoch'), coalesce(n.unit, ''), count(*),
        coalesce(sum(n.value_num) filter (where abs(n.value_num) < 1e300), 0)
      from sealed_numbers n join unnest(of_devices, of_types) as s(device_id, event_type)
        on n.device_id = s.device_id and n.event_type = s.event_type
      where n.ts >= since and n.ts < before and n.last_ts >= since and n.first_ts < before
      group by 1, 2, 3) p
    group by 1, 2, 3;
end $$;

-- The row of series has the id of the newest event, and one statement to the shards reads all of these.
create or replace function newest_metas(of_devices text[], of_types text[])
returns table (device_id text, event_type text, ts timestamptz, meta jsonb)
language plpgsql stable as $$
declare
  ids text[];
begin
  select array_agg(n.event_id) into ids
  from series n join unnest(of_devices, of_types) as s(device_id, event_type) using (device_id, event_type);
  return query select e.device_id, e.event_type, e.ts, e.meta from events e where e.event_id = any(ids);
  return query
    select n.device_id, n.event_type, e.ts, e.meta
    from series n join unnest(of_devices, of_types) as s(device_id, event_type) using (device_id, event_type)
    join event_segments g on g.device_id = n.device_id and g.event_type = n.event_type and n.ts between g.first_ts and g.last_ts
    join sealed_events e on e.segment_id = g.segment_id and e.event_id = n.event_id;
end $$;

create or replace function late_hours(first_seen timestamptz, last_seen timestamptz, over timestamptz)
returns table (device_id text, event_type text, hour timestamptz)
language plpgsql stable as $$
begin
  return query
    select distinct e.device_id, e.event_type, date_bin('1 hour', e.ts, 'epoch') from events e
    where e.ts_server >= first_seen and e.ts_server <= last_seen and e.ts < over;
end $$;

create or replace function sealable_events(of_device text, of_type text, since timestamptz, before timestamptz, seen_before timestamptz)
returns table (event_id text, ts timestamptz)
language plpgsql stable as $$
begin
  return query
    select e.event_id, e.ts from events e
    where e.device_id = of_device and e.event_type = of_type and e.ts > '-infinity' and e.ts >= since and e.ts < before
      and case when e.ts_server < seen_before then isfinite(e.ts_server) and isfinite(coalesce(e.ts_device, e.ts))
        and isfinite(coalesce(e.ts_device_local, 'epoch')) end;
end $$;

create or replace function sealable_rows(of_device text, of_type text, since timestamptz, before timestamptz, before_id text, seen_before timestamptz)
returns table (
  place tid, event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
begin
  return query
    select null::tid, e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
      e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
    from events e
    where e.device_id = of_device and e.event_type = of_type and e.ts > '-infinity' and e.ts >= since
      and (e.ts, e.event_id) < (before, before_id)
      and case when e.ts_server < seen_before then isfinite(e.ts_server) and isfinite(coalesce(e.ts_device, e.ts))
        and isfinite(coalesce(e.ts_device_local, 'epoch')) end;
end $$;

-- Each shard has places of its own, so the rows are found by their ids.
create or replace function delete_rows(places tid[], ids text[])
returns bigint
language plpgsql as $$
declare
  deleted bigint;
begin
  delete from events where event_id = any(ids);
  get diagnostics deleted = row_count;
  return deleted;
end $$;

-- The newest events of one series after the other took several statements each, to all shards: 391,000 events of 6,648 series
-- had not ended after 8 minutes. Events of small series are fetched together, 100,000 at a time; those with more, and those
-- that have segments, one by one.
create or replace function make_series_anew(of_devices text[] default null)
returns bigint
language plpgsql as $$
declare
  part record;
  found record;
  rhythm record;
  seen timestamptz;
  total bigint := 0;
begin
  lock table series in share row exclusive mode;
  delete from series where of_devices is null or device_id = any(of_devices);
  for part in
    with recent as materialized (
      select e.device_id, e.event_type, count(*) as n, min(e.ts) as first_ts, min(e.ts_server) as first_seen,
        max(e.ts_server) as last_seen
      from events e where of_devices is null or e.device_id = any(of_devices)
      group by e.device_id, e.event_type
    ), counted as (
      select c.device_id, c.event_type, sum(c.n) as n, min(c.first_ts) as first_ts, min(c.first_seen) as first_seen,
        max(c.last_seen) as last_seen, bool_and(c.is_whole) and sum(c.n) <= 10000 as is_small
      from (
        select *, true as is_whole from recent
        union all
        select s.device_id, s.event_type, sum(s.events), min(s.first_ts), min(s.first_seen), max(s.last_seen), false
        from event_segments s where of_devices is null or s.device_id = any(of_devices)
        group by s.device_id, s.event_type) c
      group by c.device_id, c.event_type
    )
    select c.is_small, array_agg(c.device_id) as devices, array_agg(c.event_type) as types, array_agg(c.n) as n,
      array_agg(c.first_ts) as first_ts, array_agg(c.first_seen) as first_seen, array_agg(c.last_seen) as last_seen,
      array_agg(c.device_id || e'\n' || c.event_type) as keys
    from (
      select *, ceil(sum(counted.n) over (partition by counted.is_small order by counted.device_id, counted.event_type) / 100000) as portion
      from counted) c
    group by c.is_small, c.portion
  loop
    if part.is_small then
      for found in
        select c.*, l.* from unnest(part.devices, part.types, part.n, part.first_ts, part.first_seen, part.last_seen)
          as c(device_id, event_type, n, first_ts, first_seen, last_seen)
        join (
          select r.device_id as of_device, r.event_type as of_type, array_agg(distinct r.ts_server) as arrivals,
            extract(epoch from max(r.ts) - min(r.ts) filter (where r.place <= 10))::float8 / nullif(least(count(*), 10) - 1, 0) as every,
            max(r.ts) filter (where r.place = 1) as ts, max(r.event_id) filter (where r.place = 1) as event_id,
            max(r.value_num) filter (where r.place = 1) as value_num, max(r.value_text) filter (where r.place = 1) as value_text,
            max(r.unit) filter (where r.place = 1) as unit, max(r.ts_device) filter (where r.place = 1) as ts_device,
            bool_and(r.readable) filter (where r.place = 1) as readable, max(r.ts_server) filter (where r.place = 1) as ts_server
          from (
            select *, row_number() over (partition by e.device_id, e.event_type order by e.ts desc, e.event_id desc) as place
            from (
              select e.device_id, e.event_type, e.event_id, e.ts, e.ts_server, e.value_num, left(e.value_text, 200) as value_text,
                e.unit, e.ts_device, e.ts_device_raw is null as readable
              from events e
              where e.device_id = any(part.devices) and e.device_id || e'\n' || e.event_type = any(part.keys)) e) r
          where r.place <= 100
          group by r.device_id, r.event_type) l on l.of_device = c.device_id and l.of_type = c.event_type
      loop
        -- As recent_arrivals().
        select null::timestamptz as arrived_at, '{}'::real[] as gaps into rhythm;
        foreach seen in array found.arrivals loop
          if rhythm.arrived_at is null then
            rhythm.arrived_at := seen;
          elsif seen - rhythm.arrived_at >= interval '20 seconds' then
            rhythm.gaps := next_gaps(rhythm.gaps, extract(epoch from seen - rhythm.arrived_at));
            rhythm.arrived_at := seen;
          end if;
        end loop;
        insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, every_seconds, ts, event_id,
          value_num, value_text, unit, ts_device, ts_device_readable, ts_server, arrived_at, gaps, silent_after)
        values (found.device_id, found.event_type, found.n, found.first_ts, found.first_seen, found.last_seen, found.every,
          found.ts, found.event_id, found.value_num, found.value_text, found.unit, found.ts_device, found.readable,
          found.ts_server, rhythm.arrived_at, rhythm.gaps, silent_after(rhythm.gaps));
      end loop;
    else
      for found in
        select * from unnest(part.devices, part.types, part.n, part.first_ts, part.first_seen, part.last_seen)
          as c(device_id, event_type, n, first_ts, first_seen, last_seen)
      loop
        rhythm := recent_arrivals(found.device_id, found.event_type);
        insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, every_seconds, ts, event_id,
          value_num, value_text, unit, ts_device, ts_device_readable, ts_server, arrived_at, gaps, silent_after)
        select found.device_id, found.event_type, found.n, found.first_ts, found.first_seen, found.last_seen,
          extract(epoch from l.ts - min(l.ts) over ())::float8 / nullif(count(*) over () - 1, 0),
          l.ts, l.event_id, l.value_num, left(l.value_text, 200), l.unit, l.ts_device, l.ts_device_raw is null, l.ts_server,
          rhythm.arrived_at, rhythm.gaps, silent_after(rhythm.gaps)
        from newest_events(found.device_id, found.event_type, 10) l
        order by l.ts desc, l.event_id desc limit 1;
      end loop;
    end if;
    total := total + cardinality(part.keys);
  end loop;
  return total;
end $$;

create or replace function events_size()
returns table (rows double precision, data double precision, indexes double precision, elsewhere double precision)
language plpgsql stable as $$
begin
  return query
    select (
        select coalesce(sum(greatest(r.result::float8, 0)), 0)
        from run_command_on_shards('events', $s$select reltuples from pg_class where oid = '%s'::regclass$s$) r),
      citus_table_size('events')::float8,
      (citus_total_relation_size('events') - citus_table_size('events'))::float8,
      citus_total_relation_size('events')::float8;
end $$;
