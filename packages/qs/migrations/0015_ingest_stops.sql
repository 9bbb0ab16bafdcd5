-- Times in which the pipeline took nothing in: it was down, or the broker, or the network of all devices. They do not count as
-- silence of a device or a sensor, wherever silence is read. A stop that lasts has no row yet: nothing tells it from a house in which
-- every device is off, and "Nothing is ingested" is the alert for both.
create table ingest_stops (
  began timestamptz primary key,
  ended timestamptz not null check (ended > began)
);

comment on table ingest_stops is 'When nothing was stored for longer than 15 minutes and than the most frequent device is used to; devices were not silent then';

create function stopped_seconds(since timestamptz, until timestamptz)
returns double precision
language sql stable as $$
  select coalesce(extract(epoch from sum(least(ended, until) - greatest(began, since))), 0)::float8
  from ingest_stops where ended > since and began < until
$$;

comment on function stopped_seconds is 'How long ingest stood still in this time';

-- The second line is reached by what is late anyway.
create or replace function is_silent(last_seen timestamptz, silent_after double precision, at_time timestamptz default now())
returns boolean
language sql stable as $$
  select coalesce(extract(epoch from at_time - last_seen) > silent_after
    and extract(epoch from at_time - last_seen) - stopped_seconds(last_seen, at_time) > silent_after, false)
$$;

comment on function is_silent is
  'Whether a device or a series was quiet for longer than its rhythm explains, without the time in which ingest stood still';

-- The ingester calls it in the transaction of the first batch after a pause of its own, so that the rows of devices which that batch
-- writes know the stop. Compiling it would take ten times as long as running it. Eight days, since an alert is about the last seven.
create function note_ingest_stops()
returns void
language sql
set jit = off
as $$
  insert into ingest_stops (began, ended)
  select p.began, p.ended
  from (
    select lag(m.ended) over (order by m.ended) as began, m.resumed, m.ended
    from (
      select distinct minute as resumed, minute + interval '1 minute' as ended from ingest_stats
      where stored + duplicate > 0 and minute > now() - interval '8 days' and minute < now() - interval '1 minute'
      union all
      select now(), now()) m) p
  -- The devices are asked about the few pauses that may be stops, not about every minute.
  where p.resumed - p.began > interval '15 minutes' and extract(epoch from p.resumed - p.began) > coalesce((
    select min(d.usual)
    from (select last_seen, coalesce(silent_after_set, silent_after) as usual from devices) d
    where extract(epoch from p.began - d.last_seen) <= d.usual), 0)
  on conflict (began) do update set ended = greatest(ingest_stops.ended, excluded.ended)
$$;

comment on function note_ingest_stops is 'Keeps the stops of the last eight days, until now';

select note_ingest_stops();
