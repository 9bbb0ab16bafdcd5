-- What charts and lists ask of a series, that is a device and a type of event: each answer takes a few descents of
-- events_device_type_ts. PostgreSQL puts functions like these into the statement that calls them, so they cost nothing.
-- They have names so that a cluster of Citus can have its own (deploy/citus/functions.sql, docs/scaling.md).

-- From one series to the next: `select distinct` would read every event, and PostgreSQL has no skip scan before 18.
create function event_series()
returns table (device_id text, event_type text)
language sql stable as $$
  with recursive series as (
    (select device_id, event_type from events order by device_id, event_type limit 1)
    union all
    select n.device_id, n.event_type from series s cross join lateral (
      select device_id, event_type from events e
      where (e.device_id, e.event_type) > (s.device_id, s.event_type)
      order by device_id, event_type limit 1) n
  )
  select device_id, event_type from series
$$;

comment on function event_series() is 'Every device and type of event there is';

create function event_series(of_devices text[])
returns table (device_id text, event_type text)
language sql stable as $$
  with recursive series as (
    select d.device_id, f.event_type from unnest(of_devices) as d(device_id) cross join lateral (
      select event_type from events e where e.device_id = d.device_id order by event_type limit 1) f
    union all
    select s.device_id, n.event_type from series s cross join lateral (
      select event_type from events e
      where e.device_id = s.device_id and e.event_type > s.event_type
      order by event_type limit 1) n
  )
  select device_id, event_type from series
$$;

comment on function event_series(text[]) is 'The types of event of these devices';

-- Not `setof events`: a function that depends on the type of a table is in the way of a restore, which drops tables first.
-- `before_id` goes on where a page ended: of the events at `before` itself, those with lower ids.
create function newest_events(
  of_device text, of_type text, at_most bigint,
  since timestamptz default '-infinity', before timestamptz default 'infinity', before_id text default '',
  only_texts boolean default false
)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb
)
language sql stable as $$
  select * from events e
  where e.device_id = of_device and e.event_type = of_type
    and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
    and (not only_texts or e.value_text is not null)
  order by e.ts desc, e.event_id desc limit at_most
$$;

comment on function newest_events is 'The newest events of one series, newest first';

create function events_between(of_device text, of_type text, since timestamptz, until timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb
)
language sql stable as $$
  select * from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts between since and until
$$;

comment on function events_between is 'The events of one series in a time';

-- Not avg(): that keeps squares on the way and fails with an overflow from 1e154 on, and a device may send such a number.
create function event_numbers(
  of_device text, of_type text, since timestamptz, before timestamptz, width interval, origin timestamptz default 'epoch'
)
returns table (at timestamptz, events bigint, low double precision, high double precision, total double precision)
language sql stable as $$
  select date_bin(width, e.ts, origin), count(*), min(e.value_num), max(e.value_num),
    coalesce(sum(e.value_num) filter (where abs(e.value_num) < 1e300), 0)
  from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts >= since and e.ts < before
    and e.value_num is not null
  group by 1
$$;

comment on function event_numbers is
  'The numbers of one series by pieces of time: how many, the least, the greatest and the sum, without those of 1e300 and more';

-- Of each piece of time and series the freshest event: the one that waited least on the device. It costs one descent each,
-- so a year costs what a day does.
create function clock_ahead(of_device text, since timestamptz, before timestamptz, width interval)
returns table (at timestamptz, ahead double precision)
language sql stable as $$
  select b.at, x.ahead
  from event_series(array[of_device]) s
  cross join generate_series(date_bin(width, since, 'epoch'), before, width) as b(at)
  cross join lateral (
    select extract(epoch from ts_device - ts_server)::float8 as ahead from events e
    where e.device_id = s.device_id and e.event_type = s.event_type
      and ts >= greatest(b.at, since) and ts < least(b.at + width, before) and ts_device is not null
    order by ts desc limit 1) x
$$;

comment on function clock_ahead is 'How many seconds the clock of a device was ahead, by pieces of time and of each series';

create function late_hours(first_seen timestamptz, last_seen timestamptz, over timestamptz)
returns table (device_id text, event_type text, hour timestamptz)
language sql stable as $$
  select distinct e.device_id, e.event_type, date_bin('1 hour', e.ts, 'epoch') from events e
  where e.ts_server >= first_seen and e.ts_server <= last_seen and e.ts < over
$$;

comment on function late_hours is 'The hours before `over` of what came in from one server time to another';
