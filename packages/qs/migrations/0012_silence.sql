-- When a device or a sensor counts as silent: one rule for console, alerts and Grafana. It follows the rhythm of arrivals by
-- the clock of the server. Event times say nothing about it: a board may send an hour of samples at once.
alter table series
  add column arrived_at timestamptz,
  add column gaps real[] not null default '{}',
  add column silent_after double precision;

comment on column series.arrived_at is 'Server time of the last arrival; what comes within 20 seconds after it belongs to it';
comment on column series.gaps is 'Seconds between the last ten arrivals, the newest last';
comment on column series.silent_after is 'Seconds without an event after which the series is silent; null: it has no rhythm';

-- This transaction keeps writers of both tables waiting, so it reads no events: a series learns its rhythm from its next four
-- arrivals, and a device with its next row.
alter table devices
  add column silent_after double precision,
  add column silent_after_set double precision check (silent_after_set > 0),
  add column silent_series int not null default 0;

comment on column devices.silent_after is 'Seconds without an event after which it is silent, by the rhythm of its series; null: it has none';
comment on column devices.silent_after_set is 'The same, as a person has set it; it goes before silent_after, and infinity is never';
comment on column devices.silent_series is 'How many of its series were silent when it was last seen';

create function next_gaps(gaps real[], gap double precision)
returns real[]
language sql immutable as $$
  select (gaps || gap::real)[greatest(1, cardinality(gaps) - 7):]
$$;

comment on function next_gaps is 'Adds the newest distance between two arrivals, and keeps nine';

-- A factor of three, since one event may be lost on the way. A series is judged when it is regular: with three gaps at
-- least, two thirds of them within half of the median, and at most one in five that would have counted as silence.
-- A door or a log has no such rhythm, and an alarm at each pause would teach its owner to ignore alarms.
create function silent_after(gaps real[])
returns double precision
language sql immutable as $$
  select case when count(*) >= 3
      and count(*) filter (where gap between 0.5 * median and 1.5 * median) * 3 >= count(*) * 2
      and count(*) filter (where gap > 3 * median) * 5 <= count(*)
    then 3 * max(median) end
  from unnest(gaps) as gap, (select percentile_cont(0.5) within group (order by g) as median from unnest(gaps) as g) m
$$;

comment on function silent_after is 'Three times the median of the gaps, in seconds; null where they have no rhythm';

-- A gap that fits the rhythm leaves it as it is. Only others cost the 35 µs of a median.
create function next_silent_after(silent_after double precision, gaps real[], gap double precision)
returns double precision
language sql immutable as $$
  select case when gap between silent_after * (0.8 / 3) and silent_after * (1.25 / 3) then silent_after
    else silent_after(next_gaps(gaps, gap)) end
$$;

comment on function next_silent_after is 'silent_after with one gap more';

-- An argument silent_after is coalesce(silent_after_set, silent_after) of a device, or that of a series.
create function is_silent(last_seen timestamptz, silent_after double precision, at_time timestamptz default now())
returns boolean
language sql stable as $$
  select coalesce(extract(epoch from at_time - last_seen) > silent_after, false)
$$;

comment on function is_silent is 'Whether a device or a series was quiet for longer than its rhythm explains';

-- A dead sensor shows while its device sends something else.
create function is_series_silent(last_seen timestamptz, silent_after double precision, device_seen timestamptz)
returns boolean
language sql stable as $$
  select is_silent(last_seen, silent_after) and is_silent(last_seen, silent_after, device_seen)
$$;

comment on function is_series_silent is 'Whether a series was silent already when its device was last seen, and still is';

-- Without a rhythm nobody can tell whether the next event is late.
create function device_status(last_seen timestamptz, silent_after double precision)
returns text
language sql stable as $$
  select case
    when last_seen is null then 'never'
    when is_silent(last_seen, silent_after) then 'silent'
    when silent_after < 'infinity' or last_seen > now() - interval '15 minutes' then 'online'
    else 'quiet' end
$$;

comment on function device_status is
  'online; silent; quiet: no event for fifteen minutes and no rhythm to judge it by; never: it sent nothing yet';

-- The arrivals among the newest events. An array of a thousand is one.
create function recent_arrivals(of_device text, of_type text, out arrived_at timestamptz, out gaps real[])
language plpgsql stable as $$
declare
  seen timestamptz;
begin
  gaps := '{}';
  for seen in select distinct e.ts_server from newest_events(of_device, of_type, 100) e order by 1 loop
    if arrived_at is null then
      arrived_at := seen;
    elsif seen - arrived_at >= interval '20 seconds' then
      gaps := next_gaps(gaps, extract(epoch from seen - arrived_at));
      arrived_at := seen;
    end if;
  end loop;
end $$;

comment on function recent_arrivals is 'What series.arrived_at and series.gaps are by the newest hundred events';

-- A device is silent when it is quiet for longer than the shortest silent_after of its series allows, without those series
-- that were silent already when it was last seen: a dead sensor does not make a live board silent, and counts as a silent
-- series. After a week it counts no more: the type was renamed, or the sensor is gone.
create function rhythm_of(of_device text, seen timestamptz, out silent_after double precision, out silent_series int)
language sql stable as $$
  select coalesce(min(s.silent_after) filter (where not s.is_late), min(s.silent_after)),
    (count(*) filter (where s.is_late and s.last_seen > seen - interval '7 days'))::int
  from (
    select x.silent_after, x.last_seen, is_silent(x.last_seen, x.silent_after, seen) as is_late
    from series x where x.device_id = of_device limit 1000) s
$$;

comment on function rhythm_of is 'After how many seconds a device is silent that was seen at this time, and how many of its series were';

-- The event that came in last says how far the clock of a device is ahead. An average over an hour would call a device late
-- that has just sent what it kept during an outage.
create function freshest_event(of_device text)
returns table (ts timestamptz, ts_device timestamptz, ts_device_readable boolean, ts_server timestamptz)
language sql stable as $$
  select x.ts, x.ts_device, x.ts_device_readable, x.ts_server
  from (select * from series s where s.device_id = of_device limit 1000) x
  order by x.ts_server desc, x.ts desc limit 1
$$;

comment on function freshest_event is 'Times of the newest reading of a device, of all its types that which came in last';

-- As it was, and with the rhythm.
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
    select e.device_id, e.event_type, count(*) as n, min(e.ts) as first_ts, min(e.ts_server) as first_seen,
      max(e.ts_server) as last_seen
    from events e where of_devices is null or e.device_id = any(of_devices)
    group by e.device_id, e.event_type
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

create or replace function fold_series()
returns bigint
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  taken bigint[];
begin
  perform pg_advisory_xact_lock('series_pending'::regclass::oid::bigint);
  taken := array(select id from series_pending);
  insert into series as s (device_id, event_type, events, first_ts, first_seen, last_seen, arrived_at, every_seconds,
    ts, event_id, value_num, value_text, unit, ts_device, ts_device_readable, ts_server)
  select m.device_id, m.event_type, m.events, m.first_ts::timestamptz, m.first_seen::timestamptz, m.last_seen::timestamptz,
    m.first_seen::timestamptz, extract(epoch from e.ts - m.first_ts::timestamptz)::float8 / nullif(m.events - 1, 0),
    e.ts, e.event_id, e.value_num, left(e.value_text, 200), e.unit, e.ts_device, e.ts_device_raw is null, e.ts_server
  from (
    select c.device_id, c.event_type, sum(c.events) as events, min(coalesce(c.first_ts, left(c.newest, 27))) as first_ts,
      min(coalesce(c.first_seen, c.last_seen)) as first_seen, max(c.last_seen) as last_seen,
      substr(max(c.newest), 29) as event_id
    from series_pending p, unnest(p.devices, p.types, p.events, p.newest, p.last_seen, p.first_ts, p.first_seen)
      as c(device_id, event_type, events, newest, last_seen, first_ts, first_seen)
    where p.id = any(taken)
    group by c.device_id, c.event_type) m
  join events e on e.event_id = m.event_id
  order by m.device_id, m.event_type
  on conflict (device_id, event_type) do update set
    events = s.events + excluded.events,
    first_ts = least(s.first_ts, excluded.first_ts),
    first_seen = least(s.first_seen, excluded.first_seen),
    last_seen = greatest(s.last_seen, excluded.last_seen),
    arrived_at = case
      when s.arrived_at is null or s.arrived_at > now() or excluded.arrived_at - s.arrived_at >= interval '20 seconds'
      then excluded.arrived_at else s.arrived_at end,
    gaps = case when excluded.arrived_at - s.arrived_at >= interval '20 seconds'
      then next_gaps(s.gaps, extract(epoch from excluded.arrived_at - s.arrived_at)) else s.gaps end,
    silent_after = case when excluded.arrived_at - s.arrived_at >= interval '20 seconds'
      then next_silent_after(s.silent_after, s.gaps, extract(epoch from excluded.arrived_at - s.arrived_at))
      else s.silent_after end,
    every_seconds = case
      when excluded.ts <= s.ts then s.every_seconds
      when s.every_seconds is null then extract(epoch from excluded.ts - s.ts)::float8 / excluded.events
      else s.every_seconds + (extract(epoch from excluded.ts - s.ts)::float8 / excluded.events - s.every_seconds)
        * (1 - power(0.9, least(excluded.events, 50))) end,
    (ts, event_id, value_num, value_text, unit, ts_device, ts_device_readable, ts_server) = (
      select case when n then excluded.ts else s.ts end,
        case when n then excluded.event_id else s.event_id end,
        case when n then excluded.value_num else s.value_num end,
        case when n then excluded.value_text else s.value_text end,
        case when n then excluded.unit else s.unit end,
        case when n then excluded.ts_device else s.ts_device end,
        case when n then excluded.ts_device_readable else s.ts_device_readable end,
        case when n then excluded.ts_server else s.ts_server end
      from (select (excluded.ts, excluded.event_id) > (s.ts, s.event_id) as n) newer);
  delete from series_pending where id = any(taken);
  return cardinality(taken);
end $$;

-- For queries of people and for Grafana.
create view silence as
select d.device_id, null::text as event_type, d.label, d.last_seen,
  extract(epoch from now() - d.last_seen)::float8 as quiet_seconds, a.silent_after, is_silent(d.last_seen, a.silent_after)
from devices d cross join lateral (select coalesce(d.silent_after_set, d.silent_after) as silent_after) a
union all
select s.device_id, s.event_type, d.label, s.last_seen,
  extract(epoch from now() - s.last_seen)::float8, s.silent_after,
  is_series_silent(s.last_seen, s.silent_after, d.last_seen)
from series s join devices d using (device_id);

comment on view silence is
  'Devices (event_type is null) and series: how long they are quiet, and whether that is silence. A series is silent on a live device only';
