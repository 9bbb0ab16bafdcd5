-- A device lives and leaves: notes about it, the archive, and removal of one device with all its data.

alter table devices add column notes text, add column archived_at timestamptz;
comment on column devices.notes is 'Anything worth knowing about it; yours to set';
comment on column devices.archived_at is 'When somebody archived it; see is_archived()';

-- Nobody has to bring it back, and no batch looks at this column: an event that comes later says that the device is in use again.
create function is_archived(archived_at timestamptz, last_seen timestamptz)
returns boolean
language sql immutable as $$
  select coalesce(archived_at >= coalesce(last_seen, '-infinity'), false)
$$;

comment on function is_archived is
  'Whether a device is in the archive: lists and alerts leave it out until it sends again';

create or replace view silence as
select d.device_id, null::text as event_type, d.label, d.last_seen,
  extract(epoch from now() - d.last_seen)::float8 as quiet_seconds, a.silent_after, is_silent(d.last_seen, a.silent_after)
from devices d cross join lateral (select coalesce(d.silent_after_set, d.silent_after) as silent_after) a
where not is_archived(d.archived_at, d.last_seen)
union all
select s.device_id, s.event_type, d.label, s.last_seen,
  extract(epoch from now() - s.last_seen)::float8, s.silent_after,
  is_series_silent(s.last_seen, s.silent_after, d.last_seen)
from series s join devices d using (device_id)
where not is_archived(d.archived_at, d.last_seen);

comment on view silence is
  'Devices (event_type is null) and series, without those in the archive: time since the last event, and whether that is silence. A series is silent only while its device is not';

-- As remove_events(), for one device. The console may call it, which may delete no event otherwise.
create function remove_device_events(of_device text, at_most int)
returns table (removed bigint, is_end boolean)
language plpgsql as $$
declare
  most_segments constant int := greatest(1, at_most / 100);
  packed record;
begin
  perform pg_advisory_xact_lock_shared('event_segments'::regclass::oid::bigint);
  delete from events where event_id in (select e.event_id from events e where e.device_id = of_device limit at_most);
  get diagnostics removed = row_count;
  is_end := removed < at_most;
  if is_end then
    with gone as (
      delete from event_segments where segment_id in (
        select s.segment_id from event_segments s where s.device_id = of_device limit most_segments)
      returning event_segments.events
    ) select coalesce(sum(g.events), 0) as events, count(*) as segments into packed from gone g;
    removed := removed + packed.events;
    is_end := packed.segments < most_segments;
  end if;
  if is_end then
    -- Waits for a step of follow_numbers() that still saw the events.
    perform pg_advisory_xact_lock('received_numbers'::regclass::oid::bigint);
    delete from received_numbers where device_id = of_device;
    delete from device_gaps where device_id = of_device;
  end if;
  return next;
end $$;

comment on function remove_device_events is
  'Deletes at most this many events of one device, then a hundredth as many of its segments; is_end: none is left, nor what is known of their numbers';

do $$
begin
  execute format('alter function remove_device_events(text, int) security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke all on function remove_device_events(text, int) from public;
