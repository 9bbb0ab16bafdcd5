-- Where a device is, and the readings that people want to see first.
alter table devices add column room text;
comment on column devices.room is 'Where it is, a name that several devices share; yours to set';

create table pinned (
  device_id  text collate "C" not null,
  event_type text collate "C" not null,
  pinned_at  timestamptz not null default now(),
  primary key (device_id, event_type)
);
comment on table pinned is 'Readings that the overview of the console shows first, for everybody who looks';

-- Which types there are, and which devices have one. No update of `series` changes a column of it, so that updates stay
-- HOT: only a new series costs an entry.
create index series_type_device on series (event_type, device_id);
