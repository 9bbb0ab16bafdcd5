-- A clock that jumps ahead, of a board without a battery or by a wrong NTP server, makes every event old at once. Ages are judged by
-- the lowest time that the clock has shown within the last 48 hours of running, so a jump deletes and seals nothing for two days, and
-- nothing ever if the clock is corrected meanwhile. docs/decisions/0029-segments.md has the reasons.

alter table sealing
  add column clock   timestamptz,
  add column shown   timestamptz[] not null default '{}',
  add column ran     interval not null default '0',
  add column read_at timestamptz;

comment on column sealing.clock is 'The time by which ages are judged: the lowest of `shown`';
comment on column sealing.shown is 'The lowest time that the clock has shown in each hour of running, the newest first; 49 of them';
comment on column sealing.ran is 'How much of the newest of these hours has been observed';
comment on column sealing.read_at is 'What the clock showed in the latest step of sealing or deletion';

-- The newest arrival, if it was long ago, shows that this clock has not been observed since.
update sealing set read_at = now(), shown = array[least(now(), greatest(
  (select max(e.ts_server) from events e where isfinite(e.ts_server)), (select max(s.last_seen) from event_segments s)))];
update sealing set clock = shown[1];

-- The time by which ages are judged. Time between two steps is running time, but half an hour at most, since the ingester may have been
-- stopped or the clock moved.
create function read_clock()
returns timestamptz
language plpgsql as $$
declare
  place sealing%rowtype;
begin
  select * into place from sealing;
  place.ran := place.ran + least(greatest(now() - place.read_at, interval '0'), interval '30 minutes');
  if place.ran < interval '1 hour' then
    place.shown[1] := least(place.shown[1], now());
  else
    place.shown := (now() || place.shown)[1:49];
    place.ran := interval '0';
  end if;
  update sealing s set shown = place.shown, ran = place.ran, read_at = now(), clock = (select min(t.at) from unnest(place.shown) t(at))
  returning s.clock into place.clock;
  return place.clock;
end $$;

comment on function read_clock is 'Reads the clock and returns the time by which ages are judged';

create function clock_jump()
returns interval
language sql stable as $$
  select coalesce(max(h.at - h.before), '0') from (
    select t.at, lead(t.at) over (order by t.place) as before
    from sealing s cross join lateral unnest(s.read_at || s.shown) with ordinality t(at, place)
    where t.at <= now()) h
$$;

comment on function clock_jump is
  'By how much the clock went ahead at once within the last 48 hours of running; an hour is usual. Times that are still to come do not count: the clock was corrected';

create or replace function kept_since(of_device text, of_type text)
returns timestamptz
language sql stable as $$
  select (select p.clock from sealing p) - case when count(*) = 0 then (select r.keep_events from retention r)
    when bool_and(x.keep is not null) then max(x.keep) end
  from retention_exceptions x where of_device like like_glob(x.devices) and of_type like like_glob(x.types)
$$;

create or replace function seal_next(after interval, at_most int)
returns table (device_id text, event_type text, events int, is_end boolean, fault text)
language plpgsql as $$
declare
  place sealing%rowtype;
  judged timestamptz;
  due timestamptz;
  seen timestamptz;
  looked int := 0;
begin
  if after < interval '3 days' or at_most < 1 then raise exception 'Only events older than three days can be sealed'; end if;
  perform pg_advisory_xact_lock('event_segments'::regclass::oid::bigint);
  judged := read_clock();
  select * into place from sealing;
  -- Without numbers by the hour there is no `due`, and no event is older.
  select case when s.covered_to is not null then least(s.covered_to, judged - after) end into due from event_hours_state s;
  select least(judged - interval '1 day', min(b.first_seen)) into seen from event_hours_backlog b;
  for device_id, event_type in
    select s.device_id, s.event_type from series s
    where (s.device_id, s.event_type) > (coalesce(place.device_id, ''), coalesce(place.event_type, ''))
    order by s.device_id, s.event_type limit 1000
  loop
    looked := looked + 1;
    -- A series that cannot be sealed keeps its rows, and does not keep the others from their turn.
    begin
      events := seal_series(device_id, event_type, due, seen, at_most);
    exception when raise_exception or data_exception or program_limit_exceeded then
      events := 0;
      fault := sqlerrm;
    end;
    exit when events > 0;
    place.device_id := device_id;
    place.event_type := event_type;
    exit when fault is not null;
  end loop;
  events := coalesce(events, 0);
  is_end := events = 0 and fault is null and looked < 1000;
  update sealing set
    (device_id, event_type) = (
      select case when not is_end then place.device_id end, case when not is_end then place.event_type end),
    horizon = due, ended_at = case when is_end then now() else ended_at end;
  return next;
end $$;

-- Numbers by the hour of deleted events stay, and must not be counted again from what is left or comes late.
create table dropped_series (
  device_id  text collate "C" not null,
  event_type text collate "C" not null,
  dropped_to timestamptz not null,
  primary key (device_id, event_type)
);

comment on table dropped_series is 'Series of which events were deleted because of their age';
comment on column dropped_series.dropped_to is 'The newest event time among the deleted: numbers by the hour up to it are not counted again';

create function note_dropped(of_device text, of_type text, upto timestamptz)
returns void
language sql as $$
  insert into dropped_series as d (device_id, event_type, dropped_to) select of_device, of_type, upto where upto is not null
  on conflict (device_id, event_type) do update set dropped_to = greatest(d.dropped_to, excluded.dropped_to)
$$;

comment on function note_dropped is 'Records up to which time events of a series were deleted; null: none were';

create or replace function drop_expired(at_most int)
returns table (events bigint, segments bigint, is_end boolean)
language plpgsql as $$
declare
  one record;
  judged timestamptz;
  seen timestamptz;
  upto timestamptz;
  held record;
  gone record;
begin
  perform pg_advisory_xact_lock('event_segments'::regclass::oid::bigint);
  judged := read_clock();
  events := 0;
  segments := 0;
  is_end := true;
  select least(judged - interval '1 day', min(b.first_seen)) into seen from event_hours_backlog b;
  for one in
    select s.device_id, s.event_type, k.before, least(k.before, h.covered_to) as counted, judged - r.keep_hours as hours_before
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
      returning event_segments.events, event_segments.last_ts
    ) select coalesce(sum(o.events), 0) as events, count(*) as segments, max(o.last_ts) as upto into held from old o;
    select e.ts into upto from sealable_events(one.device_id, one.event_type, '-infinity', one.counted, seen) e
    order by e.ts offset at_most limit 1;
    select count(*) as events, max(t.ts) as upto into gone
    from take_events(one.device_id, one.event_type, '-infinity', coalesce(upto + interval '1 microsecond', one.counted), '', seen) t;
    perform note_dropped(one.device_id, one.event_type, greatest(held.upto, gone.upto));
    events := events + held.events + gone.events;
    segments := segments + held.segments;
    if one.hours_before is not null then
      delete from event_hours h where h.device_id = one.device_id and h.event_type = one.event_type
        and h.hour < least(one.hours_before, one.before - interval '1 hour');
    end if;
    is_end := segments < at_most and gone.events < at_most;
    exit when not is_end;
  end loop;
  return next;
end $$;

-- A function that is replaced loses these.
do $$
begin
  execute format('alter function seal_next(interval, int) security definer set search_path = %I, pg_temp', current_schema());
  execute format('alter function drop_expired(int) security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke all on function read_clock(), note_dropped(text, text, timestamptz) from public;
