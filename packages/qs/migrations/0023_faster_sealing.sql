-- Sealing in three quarters of the time, and unpacking in two thirds; docs/decisions/0029-segments.md has what each step gave.

-- Several unnest in one select list run side by side; `from unnest(a, b)` writes each array to a tuplestore first.
create or replace view sealed_events as
select
  (s.id_prefix || coalesce(u.uuid::text, coalesce(u.head, '') || coalesce(u.number::bigint::text, ''))) collate "C" as event_id,
  s.device_id, s.event_type, u.value_num, u.value_text, u.unit, u.ts, plus_micros(u.ts, u.device_after) as ts_device,
  plus_micros(u.ts, u.local_after) at time zone 'UTC' as ts_device_local, u.ts_device_raw,
  plus_micros(u.ts, u.server_after) as ts_server, u.schema, u.meta, u.value_exact, s.segment_id, s.first_ts, s.last_ts,
  s.first_seen, s.last_seen, s.first_device, s.last_device
from event_segments s
cross join lateral (
  select c.*, s.first_ts + sum(c.ts_step::float8) over piece * interval '1 microsecond' as ts,
    sum(c.id_step::float8) over piece as number
  from (
    select unnest(s.id_uuids) as uuid, unnest(s.id_heads) as head, unnest(s.id_steps) as id_step, unnest(s.ts_steps) as ts_step,
      unnest(s.server_after) as server_after, unnest(s.device_after) as device_after, unnest(s.local_after) as local_after,
      unnest(s.device_raws) as ts_device_raw, unnest(s.numbers) as value_num, unnest(s.strings) as value_text,
      unnest(s.exacts) as value_exact, unnest(s.units) as unit, unnest(s.schemas) as schema, unnest(s.metas) as meta) c
  window piece as (rows unbounded preceding)
) u;

create or replace view sealed_numbers as
select s.device_id, s.event_type, u.value_num, u.unit, u.ts, s.first_ts, s.last_ts
from event_segments s
cross join lateral (
  select c.value_num, c.unit, s.first_ts + sum(c.ts_step::float8) over (rows unbounded preceding) * interval '1 microsecond' as ts
  from (select unnest(s.ts_steps) as ts_step, unnest(s.numbers) as value_num, unnest(s.units) as unit) c
) u
where s.numbers is not null and u.value_num is not null;

-- Exact: a double holds microseconds up to 2^53, and two roundings at 2^51 are half a microsecond. Declared as what it calls, or
-- PostgreSQL does not inline it.
create function epoch_micros(at timestamptz)
returns bigint
language sql stable as $$
  select case when at between '1900-01-01Z' and '2040-01-01Z' then round(date_part('epoch', at) * 1000000)::bigint
    else (extract(epoch from at) * 1000000)::bigint end
$$;

comment on function epoch_micros is 'Microseconds since 1970, exactly';

-- The same events as take_events(), each with its place in the table.
create function sealable_rows(of_device text, of_type text, since timestamptz, before timestamptz, before_id text, seen_before timestamptz)
returns table (
  place tid, event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language sql stable as $$
  select e.ctid, e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts, e.ts_device, e.ts_device_local,
    e.ts_device_raw, e.ts_server, e.schema, e.meta, e.value_exact
  from events e
  where e.device_id = of_device and e.event_type = of_type and e.ts > '-infinity' and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
    and case when e.ts_server < seen_before then isfinite(e.ts_server) and isfinite(coalesce(e.ts_device, e.ts))
      and isfinite(coalesce(e.ts_device_local, 'epoch')) end
$$;

comment on function sealable_rows is 'The events of one series that may be sealed, from one time to another, with their places';

-- A row that was changed meanwhile has another place and is not deleted, which the caller sees by the number. The places of a
-- statement that still runs are not used again. The ids are for Citus, where each shard has places of its own.
create function delete_rows(places tid[], ids text[])
returns bigint
language plpgsql as $$
declare
  deleted bigint;
begin
  delete from events where ctid = any(places);
  get diagnostics deleted = row_count;
  return deleted;
end $$;

comment on function delete_rows is 'Deletes these rows of events and returns how many there were';

-- Nearly all ids are the same text and a number, and one cast of all tells. A number with leading zeros gives another id, so it is
-- none. Sums of steps are double when they are read, hence the 15 digits. Otherwise each id has its own text before its number.
create or replace function pack_ids(ids text[], of_device text)
returns table (id_prefix text, id_uuids uuid[], id_heads text[], id_steps bigint[])
language plpgsql as $$
declare
  prefix constant text := rtrim(ids[1], '0123456789');
  joined constant text := ',' || array_to_string(ids, ',');
  listed constant text := replace(joined, ',' || prefix, ',');
  numbers bigint[];
begin
  if octet_length(joined) - octet_length(listed) = cardinality(ids) * octet_length(prefix)
    and listed ~ '^(,(0|-?[1-9][0-9]{0,14}))+$' then
    numbers := '{' || substr(listed, 2) || '}';
    if cardinality(numbers) = cardinality(ids) then
      id_prefix := prefix;
      id_steps := array(select unnest(numbers) - unnest(0::bigint || numbers[1:cardinality(numbers) - 1]));
      return next;
      return;
    end if;
  end if;
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


-- As before, but the rows are read in the order of segments and deleted by their places after all of them came out of their
-- segments: to have a delete return the rows costs half as much again.
create or replace function seal_series(of_device text, of_type text, before timestamptz, seen_before timestamptz, at_most int,
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

  select array_agg(e.event_id) as ids, array_agg(e.ts) as ts, array_agg(e.ts_server) as servers, array_agg(e.schema) as schemas,
    array_agg(e.at) as at, array_agg(e.server - e.at) as server_after,
    case when count(e.ts_device) > 0 then array_agg(e.ts_device) end as devices,
    case when count(e.ts_device) > 0 then array_agg(e.device_after) end as device_after,
    case when count(e.ts_device_local) > 0 then array_agg(e.ts_device_local) end as locals,
    case when count(e.ts_device_local) > 0 then array_agg(e.local_after) end as local_after,
    case when count(e.ts_device_raw) > 0 then array_agg(e.ts_device_raw) end as raws,
    case when count(e.value_num) > 0 then array_agg(e.value_num) end as numbers,
    case when count(e.value_text) > 0 then array_agg(e.value_text) end as strings,
    case when count(e.value_exact) > 0 then array_agg(e.value_exact) end as exacts,
    case when count(e.unit) > 0 then array_agg(e.unit) end as units,
    case when count(e.meta) > 0 then array_agg(e.meta) end as metas,
    array_agg(e.place) filter (where e.segment_id is null) as places, array_agg(e.event_id) filter (where e.segment_id is null) as row_ids,
    count(e.segment_id) as again
  into taken from (
    select t.*, epoch_micros(t.ts) as at, epoch_micros(t.ts_server) as server,
      case when t.ts_device = t.ts then 0 when t.ts_device is not null then epoch_micros(t.ts_device) - epoch_micros(t.ts) end as device_after,
      case when t.ts_device_local is not null then epoch_micros(t.ts_device_local at time zone 'UTC') - epoch_micros(t.ts) end as local_after
    from (
      select *, null::bigint as segment_id from sealable_rows(of_device, of_type, oldest, upto, upto_id, seen_before)
      union all
      select null::tid, event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw,
        ts_server, schema, meta, value_exact, segment_id
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
    select min(t.server) as first_seen, max(t.server) as last_seen, min(t.device) as first_device, max(t.device) as last_device,
      count(*) filter (where t.device_after <> 0 or t.raw is not null) as misdated
    into span from (
      select unnest(taken.servers[lo:hi]) as server, unnest(taken.devices[lo:hi]) as device,
        unnest(taken.device_after[lo:hi]) as device_after, unnest(taken.raws[lo:hi]) as raw) t;
    select p.id_prefix, p.id_uuids, p.id_heads, p.id_steps,
      array(select unnest(taken.at[lo:hi]) - unnest(taken.at[lo] || taken.at[lo:hi-1])) as ts_steps,
      taken.server_after[lo:hi] as server_after, unless_empty(taken.device_after[lo:hi]) as device_after,
      unless_empty(taken.local_after[lo:hi]) as local_after,
      unless_empty(taken.raws[lo:hi]) as device_raws, unless_empty(taken.numbers[lo:hi]) as numbers,
      unless_empty(taken.strings[lo:hi]) as strings, unless_empty(taken.exacts[lo:hi]) as exacts,
      unless_empty(taken.units[lo:hi]) as units, taken.schemas[lo:hi] as schemas, unless_empty(taken.metas[lo:hi]) as metas
    into packed from pack_ids(taken.ids[lo:hi], of_device) p;
    insert into event_segments (device_id, event_type, events, texts, misdated, first_ts, last_ts, first_seen, last_seen, first_device,
      last_device, id_prefix, id_uuids, id_heads, id_steps, ts_steps, server_after, device_after, local_after, device_raws,
      numbers, strings, exacts, units, schemas, metas, content)
    select of_device, of_type, 1 + hi - lo, coalesce(cardinality(array_remove(packed.strings, null)), 0), span.misdated, taken.ts[lo],
      taken.ts[hi], span.first_seen, span.last_seen, span.first_device, span.last_device, p.*, sha256(record_send(p))
    from (
      select packed.id_prefix, packed.id_uuids, packed.id_heads, packed.id_steps, packed.ts_steps, packed.server_after,
        packed.device_after, packed.local_after, packed.device_raws, packed.numbers, packed.strings, packed.exacts, packed.units,
        packed.schemas, packed.metas) p
    returning segment_id into id;

    select id_prefix, id_uuids, id_heads, id_steps, ts_steps, server_after, device_after, local_after, device_raws, numbers, strings,
      exacts, units, schemas, metas
    into stored from event_segments where segment_id = id;
    select array_agg(s.event_id) as ids, array_agg(s.ts) as ts, array_agg(s.ts_server) as servers,
      case when count(s.ts_device) > 0 then array_agg(s.ts_device) end as devices,
      case when count(s.ts_device_local) > 0 then array_agg(s.ts_device_local) end as locals
    into back from sealed_events s where s.segment_id = id;
    if (packed *= stored and back.ids = taken.ids[lo:hi] and back.ts = taken.ts[lo:hi] and back.servers = taken.servers[lo:hi]
      and back.devices is not distinct from unless_empty(taken.devices[lo:hi])
      and back.locals is not distinct from unless_empty(taken.locals[lo:hi])) is not true then
      raise exception 'Sealing % events of % % would have changed them', total, of_device, of_type;
    end if;
    lo := hi + 1;
  end loop;
  if lo <> total + 1 or taken.again <> again or total - again <> delete_rows(taken.places, taken.row_ids) then
    raise exception 'Sealing % events of % % would have lost some', total, of_device, of_type;
  end if;
  delete from event_segments where segment_id = any(opened);
  return total - taken.again;
end $$;

