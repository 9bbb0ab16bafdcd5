-- What lists sort and filter by, in the row of the device: they read `devices` once, however many series there are.
alter table devices
  add column types int not null default 0,
  add column clock text not null default 'unknown',
  add column clock_offset double precision;

comment on column devices.types is 'How many types of events it has sent, up to 1,000, when it was last seen';
comment on column devices.clock is 'good, off (by more than a minute), implausible, unreadable, absent or unknown, when it was last seen';
comment on column devices.clock_offset is 'Seconds by which its clock was ahead when it was last seen; null: it sent no time';

create function clock_of(ts timestamptz, ts_device timestamptz, ts_device_readable boolean, ts_server timestamptz)
returns text
language sql immutable as $$
  select case
    when ts_server is null then 'unknown'
    when not ts_device_readable then 'unreadable'
    when ts_device is null then 'absent'
    when ts <> ts_device then 'implausible'
    when abs(extract(epoch from ts_device - ts_server)) > 60 then 'off'
    else 'good' end
$$;

comment on function clock_of is 'What the times of one event say about the clock of its device';

create function summary_of(of_device text)
returns table (types int, clock text, clock_offset double precision)
language sql stable as $$
  select t.types,
    clock_of(f.ts, f.ts_device, f.ts_device_readable, f.ts_server),
    extract(epoch from f.ts_device - f.ts_server)::float8
  from (
    select count(*)::int as types from (select from series s where s.device_id = of_device limit 1000) x
  ) t left join lateral freshest_event(of_device) f on true
$$;

comment on function summary_of is 'What devices.types, clock and clock_offset are by the series of the device';

-- In one pass over series, and not device by device: devices is locked meanwhile.
update devices d set types = least(n.types, 1000), clock = n.clock, clock_offset = n.clock_offset
from (
  select distinct on (s.device_id) s.device_id, count(*) over (partition by s.device_id)::int as types,
    clock_of(s.ts, s.ts_device, s.ts_device_readable, s.ts_server) as clock,
    extract(epoch from s.ts_device - s.ts_server)::float8 as clock_offset
  from series s order by s.device_id, s.ts_server desc, s.ts desc) n
where d.device_id = n.device_id;
