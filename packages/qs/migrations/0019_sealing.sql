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
-- event stays there until they have counted it. Infinite times, which only people write, stay too.
create function sealable_events(of_device text, of_type text, before timestamptz, seen_before timestamptz)
returns table (event_id text, ts timestamptz)
language sql stable as $$
  select e.event_id, e.ts from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts > '-infinity' and e.ts < before
    and e.ts_server < seen_before and e.ts_server > '-infinity' and isfinite(coalesce(e.ts_device, e.ts))
    and isfinite(coalesce(e.ts_device_local, 'epoch'))
$$;

comment on function sealable_events is 'The events of one series that are old enough to be sealed';

-- PL/pgSQL, and not a CTE that deletes, for Citus.
create function take_events(ids text[])
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql as $$
begin
  return query delete from events e where e.event_id = any(ids) returning e.*;
end $$;

comment on function take_events is 'Deletes these events and returns them';

-- `rows` are events in the order of (ts, event_id), as segments of about `size`, and of a MiB of texts and metas at most. The type of
-- the array is open, since a function that names the row type of a table is in the way of a restore.
--
-- Windows carry ids and times only; the other columns join by place, since the sort of wide rows is what costs. A window without an
-- order keeps that of unnest.
create function pack_events(rows anyarray, size int)
returns setof bigint
language plpgsql as $$
declare
  total constant bigint := cardinality(rows);
  parts constant bigint := greatest(1, round(total::numeric / size));
  prefix constant text := (
    select case when bool_and(starts_with(e.event_id, e.device_id || '-')) then min(e.device_id) || '-' else '' end from unnest(rows) e);
begin
  return query with cut as (
    select e.place, (e.place - 1) * parts / total as part, e.ts, substr(e.event_id, length(prefix) + 1) as rest,
      sum(coalesce(pg_column_size(e.meta), 0) + coalesce(octet_length(e.value_text), 0)) over (rows unbounded preceding)
        / 1048576 as heavy
    from unnest(rows) with ordinality e(event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local,
      ts_device_raw, ts_server, schema, meta, value_exact, place)
  ), split as (
    select *, rtrim(rest, '0123456789') as word,
      case when length(rest) = 36 and rest ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then rest::uuid end as uuid
    from cut
  ), numbered as (
    select *, right(substr(rest, length(word) + 1), 15) as digits from split
  ), ended as (
    select *, coalesce(nullif(ltrim(digits, '0'), ''), nullif(right(digits, 1), '')) as number from numbered
  ), measured as (
    select *, bool_and(uuid is null and number is not null) over (partition by part, heavy) as has_numbers from ended
  ), narrow as (
    select place, part, heavy, uuid, has_numbers,
      case when uuid is null then left(rest, length(rest) - case when has_numbers then length(number) else 0 end) end as head,
      case when has_numbers then number::bigint - lag(number::bigint, 1, 0::bigint) over piece end as id_step,
      micros_after(ts, lag(ts, 1, ts) over piece) as ts_step
    from measured window piece as (partition by part, heavy order by place)
  ), stepped as (
    select n.*, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
      e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
    from narrow n
    join unnest(rows) with ordinality e(event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local,
      ts_device_raw, ts_server, schema, meta, value_exact, place) on e.place = n.place
  )
  insert into event_segments (device_id, event_type, events, texts, misdated, first_ts, last_ts, first_seen, last_seen, first_device,
    last_device, id_prefix, id_uuids, id_heads, id_steps, ts_steps, server_after, device_after, local_after, device_raws,
    numbers, strings, exacts, units, schemas, metas, content)
  select packed.*, sha256(record_send(row(id_prefix, id_uuids, id_heads, id_steps, ts_steps, server_after, device_after,
    local_after, device_raws, numbers, strings, exacts, units, schemas, metas)))
  from (
    select min(device_id), min(event_type), count(*), count(value_text),
      count(*) filter (where ts_device <> ts or ts_device_raw is not null), min(ts), max(ts), min(ts_server), max(ts_server),
      min(ts_device), max(ts_device), prefix as id_prefix,
      case when count(uuid) > 0 then array_agg(uuid) end as id_uuids,
      case when count(head) > 0 then array_agg(head) end as id_heads,
      case when bool_and(has_numbers) then array_agg(id_step) end as id_steps,
      array_agg(ts_step) as ts_steps,
      array_agg(micros_after(ts_server, ts)) as server_after,
      case when count(ts_device) > 0 then array_agg(micros_after(ts_device, ts)) end as device_after,
      case when count(ts_device_local) > 0 then array_agg(micros_after(ts_device_local at time zone 'UTC', ts)) end as local_after,
      case when count(ts_device_raw) > 0 then array_agg(ts_device_raw) end as device_raws,
      case when count(value_num) > 0 then array_agg(value_num) end as numbers,
      case when count(value_text) > 0 then array_agg(value_text) end as strings,
      case when count(value_exact) > 0 then array_agg(value_exact) end as exacts,
      case when count(unit) > 0 then array_agg(unit) end as units,
      array_agg(schema) as schemas,
      case when count(meta) > 0 then array_agg(meta) end as metas
    from (select * from stepped order by part, heavy, place) s
    group by part, heavy) packed
  returning segment_id;
end $$;

comment on function pack_events is 'Makes segments of these events, ordered by (ts, event_id)';

-- One step: the oldest events of one series that may be sealed, `at_most` of them, become segments and leave `events`, or
-- nothing changes. The step ends where the next segment begins, and packs the segment again that the events fall into, or that
-- lies before them if either is small: so segments of a series do not overlap and do not stay small. At the new end of a
-- series fewer events than a segment wait for more, a week at most.
--
-- What the new segments give is compared with what was deleted as images of bytes (*=), not by the equality of types: that takes -0
-- for 0, and 1.0 in meta for 1.00.
create function seal_series(of_device text, of_type text, before timestamptz, seen_before timestamptz, at_most int)
returns int
language plpgsql as $$
declare
  size constant int := 1000;
  oldest timestamptz;
  home record;
  next record;
  ids text[];
  opened bigint[] := '{}';
  taken events[];
  sealed bigint[];
  expected bigint;
  same bigint;
begin
  select e.ts into oldest from sealable_events(of_device, of_type, before, seen_before) e order by e.ts limit 1;
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
  ids := array(
    select e.event_id from sealable_events(of_device, of_type, least(before, next.first_ts, oldest + interval '100 years'), seen_before) e
    order by e.ts, e.event_id limit at_most);
  if cardinality(ids) < size and next.first_ts is null and oldest > before - interval '7 days' then return 0; end if;

  if home.last_ts >= oldest or home.events < size / 2 or (next.first_ts is not null and cardinality(ids) < size / 2) then
    opened := array_remove(array[home.segment_id], null);
  end if;
  expected := cardinality(ids) + case when cardinality(opened) > 0 then home.events else 0 end;
  taken := array(
    select row(e.*)::events from (
      select * from take_events(ids)
      union all
      select event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw, ts_server,
        schema, meta, value_exact
      from sealed_events b where b.segment_id = any(opened)) e
    order by e.ts, e.event_id collate "C");
  sealed := array(select pack_events(taken, size));
  select count(*) into same
  from (
    select * from unnest(taken)
  ) was
  join (
    select event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw, ts_server,
      schema, meta, value_exact
    from sealed_events b where b.segment_id = any(sealed)
  ) now on now.event_id = was.event_id and now.ts = was.ts
  where was *= now;
  if same <> expected or expected <> (
    select sum(s.events) from event_segments s
    where s.segment_id = any(sealed) and s.content = segment_content(s.segment_id)) then
    raise exception 'Sealing % events of % % would have changed them: % come back as they were', expected, of_device, of_type, same;
  end if;
  delete from event_segments where segment_id = any(opened);
  return cardinality(ids);
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
revoke all on function take_events(text[]), pack_events(anyarray, int),
  seal_series(text, text, timestamptz, timestamptz, int), seal_next(interval, int) from public;
