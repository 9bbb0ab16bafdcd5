-- Readers of a range ask these functions instead of the views below them: Citus fetches a whole view over events before it
-- filters, and deploy/citus/functions.sql gives it functions that do not.

create function numbers_between(of_device text, of_type text, since timestamptz, before timestamptz)
returns table (ts timestamptz, value_num double precision, unit text)
language sql stable as $$
  select n.ts, n.value_num, n.unit from bounded_numbers n
  where n.device_id = of_device and n.event_type = of_type and n.ts >= since and n.ts < before
    and n.last_ts >= since and n.first_ts < before and n.value_num is not null
$$;

comment on function numbers_between is 'The numbers of one series by event time: since <= ts < before';

create function events_on_axis(of_device text, of_type text, of_axis text, since timestamptz, before timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language sql stable as $$
  select e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
    e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
  from bounded_events e
  where e.device_id = of_device and e.event_type = of_type
    and case of_axis
      when 'event' then e.ts >= since and e.ts < before and e.last_ts >= since and e.first_ts < before
      when 'device' then e.ts_device >= since and e.ts_device < before and e.last_device >= since and e.first_device < before
      when 'server' then e.ts_server >= since and e.ts_server < before and e.last_seen >= since and e.first_seen < before
    end
$$;

comment on function events_on_axis is
  'The events of one series by event, device or server time (a constant, so that the planner sees the range): since <= time < before';
