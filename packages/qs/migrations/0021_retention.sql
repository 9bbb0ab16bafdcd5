-- How long events are kept. Only the owner changes these tables: a role that may not delete events may call drop_expired(), which
-- deletes what they say and takes no argument that could say otherwise.

create table retention (
  only_row    boolean primary key default true check (only_row),
  keep_events interval check (keep_events >= interval '1 day'),
  keep_hours  interval check (keep_hours >= interval '1 day')
);
insert into retention default values;

comment on table retention is 'How long events are kept, by KEEP_EVENTS and KEEP_HOURS; one row';
comment on column retention.keep_events is 'Events older than this are deleted; null: none are';
comment on column retention.keep_hours is 'Numbers by the hour older than this are deleted once their events are; null: they stay';

create table retention_exceptions (
  devices text collate "C" not null,
  types   text collate "C" not null,
  keep    interval check (keep >= interval '1 day'),
  primary key (devices, types)
);

comment on table retention_exceptions is 'Series whose events are kept for another time than retention.keep_events; of several that match, the longest holds';
comment on column retention_exceptions.devices is 'Ids of devices, * for any characters, ? for one; types likewise';
comment on column retention_exceptions.keep is 'Null: for ever';

create function like_glob(glob text)
returns text
language sql immutable as $$
  select replace(replace(replace(replace(replace(glob, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
$$;

comment on function like_glob is 'A pattern with * and ? as one for LIKE';

create function kept_since(of_device text, of_type text)
returns timestamptz
language sql stable as $$
  select now() - case when count(*) = 0 then (select r.keep_events from retention r)
    when bool_and(x.keep is not null) then max(x.keep) end
  from retention_exceptions x where of_device like like_glob(x.devices) and of_type like like_glob(x.types)
$$;

comment on function kept_since is 'Events of this series before this time are deleted; null: none are';

-- PL/pgSQL, one statement a series, for Citus.
create function expired_events()
returns table (device_id text, event_type text, before timestamptz, events bigint, segments bigint, since timestamptz)
language plpgsql stable as $$
declare
  unpacked bigint;
  oldest timestamptz;
begin
  for device_id, event_type, before in
    select s.device_id, s.event_type, k.before from series s cross join lateral (select kept_since(s.device_id, s.event_type) as before) k
    where k.before is not null order by s.device_id, s.event_type
  loop
    select coalesce(sum(g.events), 0), count(*), min(g.first_ts) into events, segments, since from event_segments g
    where g.device_id = expired_events.device_id and g.event_type = expired_events.event_type and g.last_ts < before;
    select count(*), min(e.ts) into unpacked, oldest from events e
    where e.device_id = expired_events.device_id and e.event_type = expired_events.event_type and e.ts < before;
    events := events + unpacked;
    since := least(since, oldest);
    if events > 0 then return next; end if;
  end loop;
end $$;

comment on function expired_events is 'What drop_expired() would delete: events of each series, and how many segments hold them';

-- A segment goes when its last event is too old, so up to a segment of older events stays for a while. Like sealing, this waits until
-- numbers by the hour have counted the events, which keep what they have counted.
create function drop_expired(at_most int)
returns table (events bigint, segments bigint, is_end boolean)
language plpgsql as $$
declare
  one record;
  seen timestamptz;
  upto timestamptz;
  held bigint;
  gone bigint;
begin
  perform pg_advisory_xact_lock('event_segments'::regclass::oid::bigint);
  events := 0;
  segments := 0;
  is_end := true;
  select least(now() - interval '1 day', min(b.first_seen)) into seen from event_hours_backlog b;
  for one in
    select s.device_id, s.event_type, k.before, least(k.before, h.covered_to) as counted, now() - r.keep_hours as hours_before
    from series s
    cross join lateral (select kept_since(s.device_id, s.event_type) as before) k
    cross join retention r
    cross join event_hours_state h
    where k.before is not null and h.covered_to is not null
  loop
    with old as (
      delete from event_segments where segment_id in (
        select g.segment_id from event_segments g
        where g.device_id = one.device_id and g.event_type = one.event_type and g.last_ts < one.before
        order by g.last_ts limit at_most - segments)
      returning event_segments.events
    ) select coalesce(sum(o.events), 0), count(*) into held, gone from old o;
    events := events + held;
    segments := segments + gone;
    select e.ts into upto from sealable_events(one.device_id, one.event_type, '-infinity', one.counted, seen) e
    order by e.ts offset at_most limit 1;
    select count(*) into gone
    from take_events(one.device_id, one.event_type, '-infinity', coalesce(upto + interval '1 microsecond', one.counted), '', seen);
    events := events + gone;
    if one.hours_before is not null then
      delete from event_hours h where h.device_id = one.device_id and h.event_type = one.event_type
        and h.hour < least(one.hours_before, one.before - interval '1 hour');
    end if;
    is_end := segments < at_most and gone < at_most;
    exit when not is_end;
  end loop;
  return next;
end $$;

comment on function drop_expired is 'One step of deleting what is older than `retention` says, at most about this many segments or rows; is_end: nothing is left';

do $$
begin
  execute format('alter function drop_expired(int) security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke all on function drop_expired(int) from public;
