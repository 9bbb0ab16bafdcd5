-- A sensor that works a quarter of an hour and rests an hour was called silent in each rest. Its pauses are learnt: the last five
-- gaps that were longer than its rhythm explains.
alter table series add column pauses timestamptz[] not null default '{}';

comment on column series.pauses is 'Begin and end of the last five gaps that were longer than the rhythm explained, one after the other';

-- A gap like the one before it is none, without the 35 µs of a median.
create function next_pauses(pauses timestamptz[], gaps real[], began timestamptz, ended timestamptz)
returns timestamptz[]
language sql immutable as $$
  select case
    when extract(epoch from ended - began) <= 1.5 * gaps[cardinality(gaps)] then pauses
    when extract(epoch from ended - began) > silent_after(gaps)
      then (pauses || array[began, ended])[greatest(1, cardinality(pauses) - 7):]
    else pauses end
$$;

comment on function next_pauses is 'Adds the newest gap, if it is longer than the rhythm explains, and keeps five';

-- Three pauses at least, which take a tenth of the time since the first of them: outages of a day, three times a year, teach nothing.
create function with_pauses(silent_after double precision, pauses timestamptz[], at_time timestamptz)
returns double precision
language sql immutable as $$
  select case when cardinality(pauses) >= 6 and paused * 10 >= at_time - pauses[1]
    then greatest(silent_after, extract(epoch from longest) * 1.5) else silent_after end
  from (
    select sum(pauses[n + 1] - pauses[n]) as paused, max(pauses[n + 1] - pauses[n]) as longest
    from generate_series(1, cardinality(pauses) - 1, 2) as n) p
  where silent_after is not null
$$;

comment on function with_pauses is 'silent_after, or one and a half times the longest pause of a series that pauses again and again';

drop function next_silent_after(double precision, real[], double precision);

-- A gap that fits leaves a silent_after as it is that no pause has raised: only another pause could raise it.
create function next_silent_after(
  silent_after double precision, gaps real[], pauses timestamptz[], began timestamptz, ended timestamptz
)
returns double precision
language sql immutable as $$
  select case
    when extract(epoch from ended - began) between silent_after * (0.8 / 3) and silent_after * (1.25 / 3) then silent_after
    else with_pauses(silent_after(next_gaps(gaps, extract(epoch from ended - began))), next_pauses(pauses, gaps, began, ended), ended)
    end
$$;

comment on function next_silent_after is 'silent_after with the gap between two arrivals more';

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
    pauses = case when excluded.arrived_at - s.arrived_at >= interval '20 seconds'
      then next_pauses(s.pauses, s.gaps, s.arrived_at, excluded.arrived_at) else s.pauses end,
    silent_after = case when excluded.arrived_at - s.arrived_at >= interval '20 seconds'
      then next_silent_after(s.silent_after, s.gaps, s.pauses, s.arrived_at, excluded.arrived_at)
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
