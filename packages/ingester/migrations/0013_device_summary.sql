-- What lists sort and filter by, in the row of the device: they read `devices` once, however many series there are.
alter table devices
  add column types int not null default 0,
  add column clock text not null default 'unknown',
  add column clock_offset double precision;

comment on column devices.types is 'How many types of events it has sent, up to 1,000, when it was last seen';
comment on column devices.clock is 'good, off (by more than a minute), implausible, unreadable, absent or unknown, when it was last seen';
comment on column devices.clock_offset is 'Seconds by which its clock was ahead when it was last seen; null: it sent no time';

create function summary_of(of_device text)
returns table (types int, clock text, clock_offset double precision)
language sql stable as $$
  select t.types,
    case
      when f.ts_server is null then 'unknown'
      when not f.ts_device_readable then 'unreadable'
      when f.ts_device is null then 'absent'
      when f.ts <> f.ts_device then 'implausible'
      when abs(extract(epoch from f.ts_device - f.ts_server)) > 60 then 'off'
      else 'good' end,
    extract(epoch from f.ts_device - f.ts_server)::float8
  from (
    select count(*)::int as types from (select from series s where s.device_id = of_device limit 1000) x
  ) t left join lateral freshest_event(of_device) f on true
$$;

comment on function summary_of is 'What devices.types, clock and clock_offset are by the series of the device';

update devices d set (types, clock, clock_offset) = (select r.types, r.clock, r.clock_offset from summary_of(d.device_id) r);
