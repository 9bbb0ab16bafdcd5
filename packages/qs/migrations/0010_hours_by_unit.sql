-- Numbers of different units do not belong into one mean: 20 °C and 70 °F. What is there gets the unit of the newest reading
-- of its series, as charts showed it until now; the recount below gives each number its own.
alter table event_hours drop constraint event_hours_pkey;
alter table event_hours add column unit text collate "C" not null default '';
update event_hours h set unit = s.unit
from series s where s.device_id = h.device_id and s.event_type = h.event_type and s.unit <> '';
alter table event_hours add primary key (device_id, event_type, hour, unit);

comment on table event_hours is 'Numbers of each device, type and unit by the hour of event time, up to event_hours_state.covered_to';
comment on column event_hours.unit is 'Empty: the events have none';

-- Hours that earlier versions left out are counted in the background, series by series (src/hours). The same
-- walk then compares hours with events from time to time.
alter table event_hours_state
  add column checked_device text collate "C",
  add column checked_type   text collate "C",
  add column recounted_at   timestamptz;

-- Where nothing was counted yet, nothing was left out.
update event_hours_state set recounted_at = now() where covered_to is null;

comment on column event_hours_state.checked_device is 'With checked_type, the series that was compared with its events last; null: the walk begins anew';
comment on column event_hours_state.recounted_at is 'When each series had been compared once; null: hours that an earlier version left out are still being counted';

drop function event_numbers;
create function event_numbers(
  of_device text, of_type text, since timestamptz, before timestamptz, width interval, origin timestamptz default 'epoch'
)
returns table (
  at timestamptz, unit text, events bigint, low double precision, high double precision, total double precision
)
language sql stable as $$
  select date_bin(width, e.ts, origin), coalesce(e.unit, ''), count(*), min(e.value_num), max(e.value_num),
    coalesce(sum(e.value_num) filter (where abs(e.value_num) < 1e300), 0)
  from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts >= since and e.ts < before
    and e.value_num is not null
  group by 1, 2
$$;

comment on function event_numbers is
  'The numbers of one series by pieces of time and by unit: count, minimum, maximum and sum, without those of 1e300 and more';
