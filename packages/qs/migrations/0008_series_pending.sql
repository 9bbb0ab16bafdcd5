-- Under load a batch does not update the rows of its series. It adds one row here, in its own transaction: what it changes,
-- as arrays with one element for each series. fold_series() merges these rows into `series` every few seconds and deletes
-- them, in one transaction. So each change is applied once, whatever dies and whenever.
create table series_pending (
  id         bigint generated always as identity primary key,
  devices    text[] collate "C" not null,
  types      text[] collate "C" not null,
  events     int[] not null,
  newest     text[] collate "C" not null,
  last_seen  text[] collate "C" not null,
  first_ts   text[] collate "C" not null,
  first_seen text[] collate "C" not null
) with (
  -- Rows live for seconds: vacuum by their number, whatever the table holds.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  toast.autovacuum_vacuum_scale_factor = 0,
  toast.autovacuum_vacuum_threshold = 10000
);

-- Compression costs more CPU than it saves writes.
alter table series_pending
  alter devices set storage external, alter types set storage external, alter events set storage external,
  alter newest set storage external, alter last_seen set storage external, alter first_ts set storage external,
  alter first_seen set storage external;

comment on table series_pending is 'Changes of series that batches have stored and fold_series() has yet to merge';
comment on column series_pending.newest is 'The time of the newest event in 27 characters, a space, its event_id: the greatest text is the newest';
comment on column series_pending.first_ts is 'Null: that of the newest event';
comment on column series_pending.first_seen is 'Null: last_seen';

-- The newest event is read from `events`. Where it was removed meanwhile, with its device, the change is dropped: it must
-- not bring back a row of `series`. Two calls go one after the other. Rows are written in the order of the key, as
-- batches do it. Never a scan of `events`: each newest event is one descent of its primary key.
create function fold_series()
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
  insert into series as s (device_id, event_type, events, first_ts, first_seen, last_seen, every_seconds,
    ts, event_id, value_num, value_text, unit, ts_device, ts_device_readable, ts_server)
  select m.device_id, m.event_type, m.events, m.first_ts::timestamptz, m.first_seen::timestamptz, m.last_seen::timestamptz,
    extract(epoch from e.ts - m.first_ts::timestamptz)::float8 / nullif(m.events - 1, 0),
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

comment on function fold_series is 'Merges series_pending into series';

-- A recount begins with nothing pending, and batches wait for it before they add more.
alter function recount_series(text[]) rename to make_series_anew;
comment on function make_series_anew is 'The part of recount_series that counts';

create function recount_series(of_devices text[] default null)
returns bigint
language plpgsql as $$
begin
  perform pg_advisory_xact_lock('series_pending'::regclass::oid::bigint);
  lock table series_pending in exclusive mode;
  lock table series in share row exclusive mode;
  perform fold_series();
  return make_series_anew(of_devices);
end $$;

comment on function recount_series is
  'Makes the rows of series anew from events, of these devices or of all: after rows of events were changed by hand';
