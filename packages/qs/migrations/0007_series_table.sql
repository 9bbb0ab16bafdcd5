-- One row for each device and type of event: its newest reading, its first and last times, its count. The ingester
-- changes it in the transaction of the batch, so that it always agrees with `events`. Lists read it instead of searching
-- `events` once for each series, and the limit of event types counts in it.
--
-- This migration counts all events once, without a lock on `events`. It reads the table from one end to the other.
create table series (
  device_id          text collate "C" not null,
  event_type         text collate "C" not null,
  events             bigint not null,
  first_ts           timestamptz not null,
  first_seen         timestamptz not null,
  last_seen          timestamptz not null,
  every_seconds      double precision,
  ts                 timestamptz not null,
  event_id           text collate "C" not null,
  value_num          double precision,
  value_text         text,
  unit               text,
  ts_device          timestamptz,
  ts_device_readable boolean not null,
  ts_server          timestamptz not null,
  primary key (device_id, event_type)
) with (
  -- Every batch updates the rows of its series. With room in the page and no index on what changes, PostgreSQL keeps the
  -- new version beside the old one (HOT) and reuses the space without a vacuum.
  fillfactor = 50,
  -- A flood leaves more dead versions than live ones; a fifth of the table, the default, is soon reached on a small one.
  autovacuum_vacuum_scale_factor = 0.5,
  autovacuum_vacuum_threshold = 5000
);

comment on table series is 'Each device and type of event: count, first and last, and the newest reading (ts to ts_server)';
comment on column series.events is 'How many events are stored';
comment on column series.first_ts is 'The earliest event time';
comment on column series.first_seen is 'The earliest server time';
comment on column series.last_seen is 'The latest server time';
comment on column series.every_seconds is 'The usual time between two events: an average in which the last ten count most';
comment on column series.ts is 'Of the newest event, by event time and then by event_id';
comment on column series.value_text is 'Its first 200 characters';
comment on column series.ts_device_readable is 'False: the device sent a time that could not be read';

-- A loop and not one statement, so that it runs on a cluster of Citus as well. The lock lets readers pass and makes batches
-- wait before they touch `series`: what they have stored until then is counted here, what they add afterwards is added.
create function recount_series(of_devices text[] default null)
returns bigint
language plpgsql as $$
declare
  found record;
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
    insert into series
    select found.device_id, found.event_type, found.n, found.first_ts, found.first_seen, found.last_seen,
      extract(epoch from l.ts - min(l.ts) over ())::float8 / nullif(count(*) over () - 1, 0),
      l.ts, l.event_id, l.value_num, left(l.value_text, 200), l.unit, l.ts_device, l.ts_device_raw is null, l.ts_server
    from newest_events(found.device_id, found.event_type, 10) l
    order by l.ts desc, l.event_id desc limit 1;
    total := total + 1;
  end loop;
  return total;
end $$;

comment on function recount_series is
  'Makes the rows of series anew from events, of these devices or of all: after rows of events were changed by hand';

select recount_series();

-- These searched `events` for the next series, again and again.
create or replace function event_series()
returns table (device_id text, event_type text)
language sql stable as $$
  select device_id, event_type from series
$$;

create or replace function event_series(of_devices text[])
returns table (device_id text, event_type text)
language sql stable as $$
  select device_id, event_type from series where device_id = any(of_devices)
$$;
