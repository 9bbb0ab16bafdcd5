-- Sealing moves old events into segments. A role that may not delete events may call seal_next(): it deletes only rows that
-- come out of their segment as they were, bit by bit.

-- Where the walk through the series is. Written with each step, so that it goes on there after any failure.
create table sealing (
  only_row   boolean primary key default true check (only_row),
  device_id  text collate "C",
  event_type text collate "C",
  horizon    timestamptz,
  ended_at   timestamptz
);
insert into sealing default values;

comment on table sealing is 'How far the walk that seals events is; one row';
comment on column sealing.device_id is 'With event_type, the series that was sealed last; null: the walk begins with the first';
comment on column sealing.horizon is 'Events before it were to be sealed in the latest step';
comment on column sealing.ended_at is 'When a walk through all series ended last';

-- The events of one series that may be sealed. Numbers by the hour find late events by their server time in `events`, so an
-- event stays there until they have counted it. Infinite times, which only people write, stay too. A CASE, so that no plan reads
-- all that ever arrived before `seen_before` by the index of ts_server.
create function sealable_events(of_device text, of_type text, since timestamptz, before timestamptz, seen_before timestamptz)
returns table (event_id text, ts timestamptz)
language sql stable as $$
  select e.event_id, e.ts from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts > '-infinity' and e.ts >= since and e.ts < before
    and case when e.ts_server < seen_before then isfinite(e.ts_server) and isfinite(coalesce(e.ts_device, e.ts))
      and isfinite(coalesce(e.ts_device_local, 'epoch')) end
$$;

comment on function sealable_events is 'The events of one series that are old enough to be sealed';

-- Deletes such events, up to an id of the time where they end, and returns them. PL/pgSQL, and not a CTE that deletes, for Citus.
create function take_events(of_device text, of_type text, since timestamptz, before timestamptz, before_id text, seen_before timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql as $$
begin
  return query delete from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts > '-infinity' and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
    and case when e.ts_server < seen_before then isfinite(e.ts_server) and isfinite(coalesce(e.ts_device, e.ts))
      and isfinite(coalesce(e.ts_device_local, 'epoch')) end
  returning e.*;
end $$;

comment on function take_events is 'Deletes the events of one series that may be sealed, from one time to another, and returns them';

-- Nearly all ids are the same text and a number, and one cast of all tells. A number with leading zeros gives another id, so it is
-- none. Sums of steps are double when they are read, hence the bound. Otherwise each id has its own text before its number.
create function pack_ids(ids text[], of_device text)
returns table (id_prefix text, id_uuids uuid[], id_heads text[], id_steps bigint[])
language plpgsql as $$
declare
  prefix constant text := rtrim(ids[1], '0123456789');
  numbers bigint[];
begin
  begin
    numbers := '{' || substr(replace(',' || array_to_string(ids, ','), ',' || prefix, ','), 2) || '}';
    if ids = array(select prefix || n from unnest(numbers) n) and 1000000000000000 > all(numbers) and -1000000000000000 < all(numbers) then
      id_prefix := prefix;
      id_steps := array(
        select s.number - s.earlier from unnest(numbers, 0::bigint || numbers[1:cardinality(numbers) - 1]) s(number, earlier));
      return next;
      return;
    end if;
  exception when data_exception then null;
  end;
  id_prefix := (
    select case when bool_and(starts_with(id, of_device || '-')) then of_device || '-' else '' end from unnest(ids) id);
  return query
  with split as (
    select i.place, i.rest, rtrim(i.rest, '0123456789') as word,
      case when length(i.rest) = 36 and i.rest ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then i.rest::uuid end as uuid
    from (select row_number() over () as place, substr(id, length(id_prefix) + 1) as rest from unnest(ids) id) i
  ), numbered as (
    select *, right(substr(s.rest, length(s.word) + 1), 15) as digits from split s
  ), ended as (
    select *, coalesce(nullif(ltrim(n.digits, '0'), ''), nullif(right(n.digits, 1), '')) as number from numbered n
  ), measured as (
    select *, bool_and(e.uuid is null and e.number is not null) over () as has_numbers from ended e
  ), stepped as (
    select m.place, m.uuid, m.has_numbers,
      case when m.uuid is null then left(m.rest, length(m.rest) - case when m.has_numbers then length(m.number) else 0 end) end as head,
      case when m.has_numbers then m.number::bigint - lag(m.number::bigint, 1, 0::bigint) over (order by m.place) end as step
    from measured m
  )
  select id_prefix, case when count(s.uuid) > 0 then array_agg(s.uuid) end, case when count(s.head) > 0 then array_agg(s.head) end,
    case when bool_and(s.has_numbers) then array_agg(s.step) end
  from (select * from stepped order by place) s;
end $$;

comment on function pack_ids is 'Ids as the columns of event_segments that hold them';

-- An array that is null where all its elements are.
create function unless_empty(elements anyarray)
returns anyarray
language sql immutable as $$ select case when cardinality(array_remove(elements, null)) > 0 then elements end $$;

-- One step: the oldest events of one series that may be sealed, `at_most` of them, become segments and leave `events`, or
-- nothing changes. The step ends where the next segment begins, and packs the segment again that the events fall into, or that
-- lies before them if either is small: so segments of a series do not overlap and do not stay small. At the new end of a
-- series fewer events than a segment wait for more, a week at most. Segments have about a thousand events, and a MiB of texts and
-- metas at most.
--
-- What was deleted is held as one array a column, and read again from the new segment: ids and times by sealed_events, whose equality
-- is exact, and the columns that are stored as they are by their bytes (*=). The equality of types takes -0 for 0, and 1.0 in meta for
-- 1.00.
create function seal_series(of_device text, of_type text, before timestamptz, seen_before timestamptz, at_most int,
  size int default 1000)
returns int
language plpgsql as $$
declare
  oldest timestamptz;
  home record;
  next record;
  upto timestamptz;
  upto_id text := '';
  plenty int := at_most;
  opened bigint[] := '{}';
  again int := 0;
  taken record;
  total int;
  parts int;
  ends int[];
  lo int := 1;
  hi int;
  span record;
  packed record;
  stored record;
  back record;
  id bigint;
begin
  select e.ts into oldest from sealable_events(of_device, of_type, '-infinity', before, seen_before) e order by e.ts limit 1;
  if oldest is null then return 0; end if;
  select s.segment_id, s.events, s.first_ts, s.last_ts into next from event_segments s
  where s.device_id = of_device and s.event_type = of_type and s.last_ts >= oldest order by s.last_ts limit 1;
  if next.first_ts <= oldest then
    home := next;
    select s.segment_id, s.events, s.first_ts, s.last_ts into next from event_segments s
    where s.device_id = of_device and s.event_type = of_type and s.last_ts > home.last_ts order by s.last_ts limit 1;
  else
    select s.segment_id, s.events, s.first_ts, s.last_ts into home from event_segments s
    where s.device_id = of_device and s.event_type = of_type and s.last_ts < oldest order by s.last_ts desc limit 1;
  end if;
  before := least(before, next.first_ts, oldest + interval '100 years');
  -- Of the index alone, whether they may be sealed or not.
  select e.ts into upto from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts >= oldest and e.ts < before
  order by e.ts offset at_most limit 1;
  if upto is null then
    upto := before;
    select count(*) into plenty from sealable_events(of_device, of_type, oldest, before, seen_before);
    if plenty < size and next.first_ts is null and oldest > before - interval '7 days' then return 0; end if;
  elsif upto = oldest then
    -- More events than a step takes have one time.
    select e.event_id into upto_id from sealable_events(of_device, of_type, oldest, oldest + interval '1 microsecond', seen_before) e
    order by e.event_id offset at_most limit 1;
    if not found then upto := oldest + interval '1 microsecond'; upto_id := ''; end if;
  end if;
  if home.last_ts >= oldest or home.events < size / 2 or (next.first_ts is not null and plenty < size / 2) then
    opened := array(
      select s.segment_id from event_segments s where s.segment_id = home.segment_id and s.content = segment_content(s.segment_id));
    if cardinality(opened) = 0 and home.segment_id is not null then
      raise exception 'Segment % of % % is not what was sealed', home.segment_id, of_device, of_type;
    end if;
    again := coalesce(home.events, 0);
  end if;

  select array_agg(e.event_id) as ids, array_agg(e.value_num) as numbers, array_agg(e.value_text) as strings,
    array_agg(e.unit) as units, array_agg(e.ts) as ts, array_agg(e.ts_device) as devices, array_agg(e.ts_device_local) as locals,
    array_agg(e.ts_device_raw) as raws, array_agg(e.ts_server) as servers, array_agg(e.schema) as schemas,
    array_agg(e.meta) as metas, array_agg(e.value_exact) as exacts, count(e.segment_id) as again
  into taken from (
    select * from (
      select *, null::bigint as segment_id from take_events(of_device, of_type, oldest, upto, upto_id, seen_before)
      union all
      select event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw, ts_server,
        schema, meta, value_exact, segment_id
      from sealed_events b where b.segment_id = any(opened)) t
    order by t.ts, t.event_id collate "C", t.ts_server) e;
  total := coalesce(cardinality(taken.ids), 0);
  if total = 0 then return 0; end if;

  -- The place at which each segment ends.
  parts := greatest(1, round(total::numeric / size));
  if coalesce(pg_column_size(taken.metas), 0) + coalesce(pg_column_size(taken.strings), 0) < 1048576 then
    ends := array(select i * total / parts from generate_series(1, parts) i);
  else
    ends := array(
      select max(h.place) from (
        select u.place, (u.place - 1) * parts / total as part,
          sum(coalesce(pg_column_size(u.meta), 0) + coalesce(octet_length(u.string), 0)) over (rows unbounded preceding) / 1048576 as heavy
        from unnest(taken.metas, taken.strings) with ordinality u(meta, string, place)) h
      group by h.part, h.heavy order by 1);
  end if;
  foreach hi in array ends loop
    select count(*) filter (where t.device <> t.ts or t.raw is not null) as misdated, min(t.ts) as first_ts, max(t.ts) as last_ts,
      min(t.server) as first_seen, max(t.server) as last_seen, min(t.device) as first_device, max(t.device) as last_device,
      array_agg(micros_after(t.ts, t.earlier)) as ts_steps, array_agg(micros_after(t.server, t.ts)) as server_after,
      case when count(t.device) > 0 then array_agg(micros_after(t.device, t.ts)) end as device_after,
      case when count(t.local) > 0 then array_agg(micros_after(t.local at time zone 'UTC', t.ts)) end as local_after
    into span
    from unnest(taken.ts[lo:hi], taken.servers[lo:hi], taken.devices[lo:hi], taken.locals[lo:hi], taken.raws[lo:hi],
      taken.ts[lo] || taken.ts[lo:hi-1]) t(ts, server, device, local, raw, earlier);
    select p.id_prefix, p.id_uuids, p.id_heads, p.id_steps, span.ts_steps, span.server_after, span.device_after, span.local_after,
      unless_empty(taken.raws[lo:hi]) as device_raws, unless_empty(taken.numbers[lo:hi]) as numbers,
      unless_empty(taken.strings[lo:hi]) as strings, unless_empty(taken.exacts[lo:hi]) as exacts,
      unless_empty(taken.units[lo:hi]) as units, taken.schemas[lo:hi] as schemas, unless_empty(taken.metas[lo:hi]) as metas
    into packed from pack_ids(taken.ids[lo:hi], of_device) p;
    insert into event_segments (device_id, event_type, events, texts, misdated, first_ts, last_ts, first_seen, last_seen, first_device,
      last_device, id_prefix, id_uuids, id_heads, id_steps, ts_steps, server_after, device_after, local_after, device_raws,
      numbers, strings, exacts, units, schemas, metas, content)
    select of_device, of_type, 1 + hi - lo, coalesce(cardinality(array_remove(packed.strings, null)), 0), span.misdated, span.first_ts,
      span.last_ts, span.first_seen, span.last_seen, span.first_device, span.last_device, p.*, sha256(record_send(p))
    from (
      select packed.id_prefix, packed.id_uuids, packed.id_heads, packed.id_steps, packed.ts_steps, packed.server_after,
        packed.device_after, packed.local_after, packed.device_raws, packed.numbers, packed.strings, packed.exacts, packed.units,
        packed.schemas, packed.metas) p
    returning segment_id into id;

    select id_prefix, id_uuids, id_heads, id_steps, ts_steps, server_after, device_after, local_after, device_raws, numbers, strings,
      exacts, units, schemas, metas
    into stored from event_segments where segment_id = id;
    select array_agg(s.event_id) as ids, array_agg(s.ts) as ts, array_agg(s.ts_server) as servers, array_agg(s.ts_device) as devices,
      array_agg(s.ts_device_local) as locals
    into back from sealed_events s where s.segment_id = id;
    if (packed *= stored and back.ids = taken.ids[lo:hi] and back.ts = taken.ts[lo:hi] and back.servers = taken.servers[lo:hi]
      and back.devices = taken.devices[lo:hi] and back.locals = taken.locals[lo:hi]) is not true then
      raise exception 'Sealing % events of % % would have changed them', total, of_device, of_type;
    end if;
    lo := hi + 1;
  end loop;
  if lo <> total + 1 or taken.again <> again then
    raise exception 'Sealing % events of % % would have lost some', total, of_device, of_type;
  end if;
  delete from event_segments where segment_id = any(opened);
  return total - taken.again;
end $$;

comment on function seal_series is 'Seals the oldest events of one series and returns how many; 0 if none is due';

-- The next step of the walk through all series: at most `at_most` events of one series. It looks at a thousand series at most.
-- The ingester holds the same lock, shared, while it stores events that may be sealed already.
create function seal_next(after interval, at_most int)
returns table (device_id text, event_type text, events int, is_end boolean, fault text)
language plpgsql as $$
declare
  place sealing%rowtype;
  due timestamptz;
  seen timestamptz;
  looked int := 0;
begin
  if after < interval '3 days' or at_most < 1 then raise exception 'Only events older than three days can be sealed'; end if;
  perform pg_advisory_xact_lock('event_segments'::regclass::oid::bigint);
  select * into place from sealing;
  -- Without numbers by the hour there is no `due`, and no event is older.
  select case when s.covered_to < now() - after then s.covered_to when s.covered_to is not null then now() - after end into due
  from event_hours_state s;
  select least(now() - interval '1 day', min(b.first_seen)) into seen from event_hours_backlog b;
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

comment on function seal_next is 'Seals the oldest events of the next series that has some older than `after`; is_end: no series is left, the next call begins anew; fault: why the series keeps its rows';

-- Removal and a step of sealing would wait for each other's rows. The lock that keeps steps out leaves batches with late events
-- alone; the statement after it sees what the last step has committed. Segments go with the last events, before the next step.
create function remove_events(of_prefix text, at_most int)
returns table (removed bigint, is_end boolean)
language plpgsql as $$
declare
  packed bigint;
begin
  perform pg_advisory_xact_lock_shared('event_segments'::regclass::oid::bigint);
  delete from events where event_id in (
    select e.event_id from events e where e.device_id >= of_prefix and starts_with(e.device_id, of_prefix) limit at_most);
  get diagnostics removed = row_count;
  is_end := removed < at_most;
  if is_end then
    select coalesce(sum(s.events), 0) into packed from event_segments s
    where s.device_id >= of_prefix and starts_with(s.device_id, of_prefix);
    delete from event_segments s where s.device_id >= of_prefix and starts_with(s.device_id, of_prefix);
    removed := removed + packed;
  end if;
  return next;
end $$;

comment on function remove_events is
  'Deletes at most this many events of the devices whose id begins like this; the last call, is_end, deletes their segments too';

-- They delete with the rights of the owner, so nothing that a caller can create may take the place of a table or a function.
do $$
begin
  execute format('alter function seal_next(interval, int) security definer set search_path = %I, pg_temp', current_schema());
end $$;
revoke all on function take_events(text, text, timestamptz, timestamptz, text, timestamptz),
  seal_series(text, text, timestamptz, timestamptz, int, int), seal_next(interval, int) from public;
