-- Numbers with more digits than a double. An event that is sent again is compared by these digits.

-- Rows from before this have '': nobody knows which digits were sent. The default of a new column is kept in the catalog, so no row is
-- written, however many there are. It stays: an older ingester that still runs leaves the column out. This one always writes it, and
-- null says that value_num is the number that was sent.
alter table events add column value_exact text default '';

comment on column events.value_exact is
  'The number that was sent, where it has more digits than a double: value_num is the double nearest to it. Empty in rows from before qs kept it';

-- They return all columns of events, so they have to be made anew (deploy/citus/functions.sql too: run it again).
drop function newest_events;
create function newest_events(
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
  select * from events e
  where e.device_id = of_device and e.event_type = of_type
    and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
    and (not only_texts or e.value_text is not null)
  order by e.ts desc, e.event_id desc limit at_most
$$;

comment on function newest_events is 'The newest events of one series, newest first';

drop function events_between;
create function events_between(of_device text, of_type text, since timestamptz, until timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language sql stable as $$
  select * from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts between since and until
$$;

comment on function events_between is 'The events of one series in a time';
