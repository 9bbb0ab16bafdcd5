-- The functions that read events answer from segments too. Each asks for as few segments as it can before one is unpacked.

create or replace function events_between(of_device text, of_type text, since timestamptz, until timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language sql stable as $$
  select e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
    e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
  from bounded_events e
  where e.device_id = of_device and e.event_type = of_type and e.ts between since and until
    and e.last_ts >= since and e.first_ts <= until
$$;

-- Sealed events are wanted where rows do not fill the answer, or where a segment reaches above the oldest of these rows: some
-- events come late. Of the segments that end before `before`, the newest that hold `at_most` events are enough, and any
-- other that reaches into their time.
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
language sql stable as $$
  with recent as (
    select * from events e
    where e.device_id = of_device and e.event_type = of_type
      and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
      and (not only_texts or e.value_text is not null)
    order by e.ts desc, e.event_id desc limit at_most
  ), reach as (
    select case when count(*) < at_most then since else min(ts) end as since from recent
  ), enough as (
    select min(n.first_ts) as since from (
      select s.first_ts, sum(case when only_texts then s.texts else s.events end)
        over (order by s.last_ts desc rows between unbounded preceding and 1 preceding) as newer
      from (
        select * from event_segments s
        where s.device_id = of_device and s.event_type = of_type and s.last_ts < before
          and s.last_ts >= (select r.since from reach r) and (not only_texts or s.texts > 0)
        order by s.last_ts desc limit at_most) s) n
    where n.newer is null or n.newer < at_most
  )
  select e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
    e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
  from (
    select r.*, null::bigint as segment_id from recent r
    union all
    select b.event_id, b.device_id, b.event_type, b.value_num, b.value_text, b.unit, b.ts, b.ts_device, b.ts_device_local,
      b.ts_device_raw, b.ts_server, b.schema, b.meta, b.value_exact, b.segment_id
    from sealed_events b
    where b.device_id = of_device and b.event_type = of_type
      and b.last_ts >= greatest((select r.since from reach r), (select n.since from enough n)) and b.first_ts <= before
      and b.ts >= since and (b.ts, b.event_id) < (before, before_id) and (not only_texts or b.value_text is not null)
  ) e
  order by e.ts desc, e.event_id collate "C" desc limit at_most
$$;

-- The same over all series, by the time of arrival.
create function newest_arrivals(
  at_most bigint, since timestamptz default '-infinity', before timestamptz default 'infinity', before_id text default '',
  of_types text[] default null, only_texts boolean default false, of_devices text[] default null,
  only_misdated boolean default false
)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language sql stable as $$
  with recent as (
    select * from events e
    where e.ts_server >= since and (e.ts_server, e.event_id) < (before, before_id)
      and (of_types is null or e.event_type = any(of_types)) and (not only_texts or e.value_text is not null)
      and (of_devices is null or e.device_id = any(of_devices))
      and (not only_misdated or e.ts_device <> e.ts or e.ts_device_raw is not null)
    order by e.ts_server desc, e.event_id desc limit at_most
  ), reach as (
    select case when count(*) < at_most then since else min(ts_server) end as since from recent
  ), enough as (
    select min(n.first_seen) as since from (
      select s.first_seen, sum(case when only_misdated then s.misdated when only_texts then s.texts else s.events end)
        over (order by s.last_seen desc rows between unbounded preceding and 1 preceding) as newer
      from (
        select * from event_segments s
        where s.last_seen < before and s.last_seen >= (select r.since from reach r)
          and (of_types is null or s.event_type = any(of_types)) and (not only_texts or s.texts > 0)
        and (of_devices is null or s.device_id = any(of_devices)) and (not only_misdated or s.misdated > 0)
        order by s.last_seen desc limit at_most) s) n
    where n.newer is null or n.newer < at_most
  )
  select e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
    e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
  from (
    select r.*, null::bigint as segment_id from recent r
    union all
    select b.event_id, b.device_id, b.event_type, b.value_num, b.value_text, b.unit, b.ts, b.ts_device, b.ts_device_local,
      b.ts_device_raw, b.ts_server, b.schema, b.meta, b.value_exact, b.segment_id
    from sealed_events b
    where (of_types is null or b.event_type = any(of_types))
      and b.last_seen >= greatest((select r.since from reach r), (select n.since from enough n)) and b.first_seen <= before
      and b.ts_server >= since and (b.ts_server, b.event_id) < (before, before_id)
      and (not only_texts or b.value_text is not null)
      and (of_devices is null or b.device_id = any(of_devices))
      and (not only_misdated or b.ts_device <> b.ts or b.ts_device_raw is not null)
  ) e
  order by e.ts_server desc, e.event_id collate "C" desc limit at_most
$$;

comment on function newest_arrivals is 'The events of all series that arrived last, newest first';

create or replace function event_numbers(
  of_device text, of_type text, since timestamptz, before timestamptz, width interval, origin timestamptz default 'epoch'
)
returns table (
  at timestamptz, unit text, events bigint, low double precision, high double precision, total double precision
)
language sql stable as $$
  select date_bin(width, e.ts, origin), coalesce(e.unit, ''), count(*), min(e.value_num), max(e.value_num),
    coalesce(sum(e.value_num) filter (where abs(e.value_num) < 1e300), 0)
  from (
    select n.ts, n.unit, n.value_num from events n
    where n.device_id = of_device and n.event_type = of_type and n.ts >= since and n.ts < before and n.value_num is not null
    union all
    select s.ts, s.unit, s.value_num from sealed_numbers s
    where s.device_id = of_device and s.event_type = of_type and s.ts >= since and s.ts < before
      and s.last_ts >= since and s.first_ts < before) e
  group by 1, 2
$$;

-- Of sealed events the newest segment of each piece answers: one is unpacked, however long the piece is.
create or replace function clock_ahead(of_device text, since timestamptz, before timestamptz, width interval)
returns table (at timestamptz, ahead double precision)
language sql stable as $$
  select b.at, x.ahead
  from event_series(array[of_device]) s
  cross join generate_series(date_bin(width, since, 'epoch'), before, width) as b(at)
  cross join lateral (
    select f.ahead from (
      (select e.ts, extract(epoch from e.ts_device - e.ts_server)::float8 as ahead from events e
      where e.device_id = s.device_id and e.event_type = s.event_type
        and e.ts >= greatest(b.at, since) and e.ts < least(b.at + width, before) and e.ts_device is not null
      order by e.ts desc limit 1)
      union all
      (select e.ts, extract(epoch from e.ts_device - e.ts_server)::float8 from sealed_events e
      where e.segment_id = (
          select g.segment_id from event_segments g
          where g.device_id = s.device_id and g.event_type = s.event_type and g.last_ts >= greatest(b.at, since)
            and g.first_ts < least(b.at + width, before) and g.first_device is not null
          order by g.last_ts desc limit 1)
        and e.ts >= greatest(b.at, since) and e.ts < least(b.at + width, before) and e.ts_device is not null
      order by e.ts desc limit 1)) f
    order by f.ts desc limit 1) x
$$;

comment on function late_hours is
  'The hours before `over` of events that arrived from one server time to another; none of them is sealed before they are counted';

create or replace function make_series_anew(of_devices text[] default null)
returns bigint
language plpgsql as $$
declare
  found record;
  rhythm record;
  total bigint := 0;
begin
  lock table series in share row exclusive mode;
  delete from series where of_devices is null or device_id = any(of_devices);
  for found in
    select c.device_id, c.event_type, sum(c.n) as n, min(c.first_ts) as first_ts, min(c.first_seen) as first_seen,
      max(c.last_seen) as last_seen
    from (
      select e.device_id, e.event_type, count(*) as n, min(e.ts) as first_ts, min(e.ts_server) as first_seen,
        max(e.ts_server) as last_seen
      from events e where of_devices is null or e.device_id = any(of_devices)
      group by e.device_id, e.event_type
      union all
      select s.device_id, s.event_type, sum(s.events), min(s.first_ts), min(s.first_seen), max(s.last_seen)
      from event_segments s where of_devices is null or s.device_id = any(of_devices)
      group by s.device_id, s.event_type) c
    group by c.device_id, c.event_type
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
    total := total + 1;
  end loop;
  return total;
end $$;

-- The view cannot bound segments by the time of arrival, so it stays with rows.
comment on view clock_drift is
  'Seconds by which a device''s clock was ahead of the server''s (negative: behind, or the event waited on the device); rows of events only';

create function clock_drift_between(since timestamptz, before timestamptz)
returns table (
  device_id text, event_id text, event_type text, ts_server timestamptz, ts_device timestamptz, offset_seconds double precision,
  plausible boolean
)
language sql stable as $$
  select e.device_id, e.event_id, e.event_type, e.ts_server, e.ts_device,
    extract(epoch from e.ts_device - e.ts_server)::double precision, e.ts = e.ts_device
  from bounded_events e
  where e.ts_server >= since and e.ts_server < before and e.last_seen >= since and e.first_seen < before
    and e.ts_device is not null
$$;

comment on function clock_drift_between is 'clock_drift of all events that arrived in a time range, sealed or not';
