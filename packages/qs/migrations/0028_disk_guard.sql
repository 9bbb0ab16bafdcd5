-- The last resort before the disk of the database is full and ingest stops: with KEEP_FREE, the oldest segments go.

alter table retention add column keep_free bigint check (keep_free > 0);
comment on column retention.keep_free is 'With fewer bytes free on the disk, make_room() lets segments grow no further, by KEEP_FREE; null: they grow';

alter table sealing
  add column most_events bigint,
  add column room_events bigint not null default 0,
  add column room_to timestamptz,
  add column room_at timestamptz;
comment on column sealing.most_events is 'How many events segments held when the disk became short, and hold at most until it is not; null: it is not';
comment on column sealing.room_events is 'How many events make_room() has deleted; room_to is the newest event time of them, room_at when it deleted last';

-- Space of deleted segments is used again once it is vacuumed, by default after a fifth of the table.
alter table event_segments set (
  autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_threshold = 500,
  toast.autovacuum_vacuum_scale_factor = 0.01,
  toast.autovacuum_vacuum_threshold = 2000
);

-- Deleted space is used again and not given back, so free space does not say how much was deleted: a rule that deletes until enough is
-- free would delete everything. Instead, as many events go as are sealed while the disk is short. A caller with a wrong number can
-- do no more than that. Series with an exception that keeps them for ever go last: never.
create function make_room(free_bytes bigint, at_most int)
returns table (keep_free bigint, events bigint, segments bigint)
language plpgsql as $$
declare
  held bigint;
  most bigint;
  one record;
begin
  perform pg_advisory_xact_lock('event_segments'::regclass::oid::bigint);
  select r.keep_free into keep_free from retention r;
  events := 0;
  segments := 0;
  if keep_free is null or free_bytes >= keep_free then update sealing set most_events = null where most_events is not null; end if;
  if free_bytes < keep_free then
    select coalesce(sum(g.events), 0) into held from event_segments g;
    update sealing s set most_events = coalesce(s.most_events, held) returning s.most_events into most;
    for one in
      with oldest as (
        select o.segment_id, sum(o.events) over (order by o.last_ts, o.segment_id) - o.events as older
        from (
          select g.segment_id, g.events, g.last_ts from event_segments g
          where not exists (
            select from retention_exceptions x
            where x.keep is null and g.device_id like like_glob(x.devices) and g.event_type like like_glob(x.types))
          order by g.last_ts, g.segment_id limit at_most) o
      ), gone as (
        delete from event_segments g using oldest o where g.segment_id = o.segment_id and o.older < held - most
        returning g.device_id, g.event_type, g.events, g.last_ts
      )
      select g.device_id, g.event_type, sum(g.events) as events, count(*) as segments, max(g.last_ts) as upto from gone g group by 1, 2
    loop
      perform note_dropped(one.device_id, one.event_type, one.upto);
      events := events + one.events;
      segments := segments + one.segments;
      update sealing s set room_events = s.room_events + one.events, room_to = greatest(s.room_to, one.upto), room_at = now();
    end loop;
  end if;
  return next;
end $$;

comment on function make_room is 'While fewer bytes than retention.keep_free are free, deletes the oldest segments for as many events as are sealed';

do $$
begin
  execute format('alter function make_room(bigint, int) security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke all on function make_room(bigint, int) from public;
