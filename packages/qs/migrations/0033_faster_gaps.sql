-- Numbers of one device and epoch that arrive together are nearly always one run: they become one range by a hash, and only others are
-- sorted one by one. Half of the time of before, on 10,000 events of 100 devices. An id is written in one way only if all have the
-- same length or none has a leading zero: then as many ids as numbers are all of them.
create or replace function read_numbers(since timestamptz, upto timestamptz, is_last boolean, is_history boolean)
returns bigint
language plpgsql
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  changed text[];
  total bigint;
  one text;
begin
  with found as (
    select s.device_id, substr(s.event_id, s.of_device + 2, s.of_head - s.of_device - 2) as epoch, substr(s.event_id, s.of_head + 1) as digits,
      s.ts, s.ts_server
    from (
      select e.*, length(e.device_id) as of_device, length(rtrim(e.event_id, '0123456789')) as of_head
      from (
        select e.event_id, e.device_id, e.ts, e.ts_server from events e where e.ts_server >= since and e.ts_server <= upto
        union all
        select s.event_id, s.device_id, s.ts, s.ts_server from sealed_events s
        where s.last_seen >= since and s.first_seen <= upto
          and (is_last or case when is_history then s.first_seen >= since else s.last_seen <= upto end)
      ) e offset 0
    ) s
    where s.of_head > s.of_device + 2 and starts_with(s.event_id, s.device_id || '-') and length(s.event_id) - s.of_head between 1 and 15
      and strpos(substr(s.event_id, s.of_device + 2, greatest(s.of_head - s.of_device - 1, 0)), '-') = s.of_head - s.of_device - 1
      and not (is_history and exists (select from dropped_series d where d.device_id = s.device_id and d.dropped_to > s.ts))
    offset 0
  ), bounds as materialized (
    select device_id, epoch, min(number) as low, max(number) as high, min(ts) as first_ts, max(ts) as last_ts, min(ts_server) as first_seen,
      count(*) as numbers, array_agg(number) as each_number, array_agg(ts) as each_ts, array_agg(ts_server) as each_seen,
      count(*) = max(number) - min(number) + 1
        and (min(length(digits)) = max(length(digits)) or not bool_or(starts_with(digits, '0') and digits <> '0')) as is_run
    from (select *, digits::bigint as number from found) f
    group by device_id, epoch
  ), marked as (
    select *, coalesce(first_number > 1 + max(last_number) over (
      partition by device_id, epoch order by first_number, is_kept desc rows between unbounded preceding and 1 preceding), true) as starts
    from (
      select device_id, epoch, low as first_number, high as last_number, first_ts, last_ts, first_seen, false as is_kept
      from bounds where is_run
      union all
      select b.device_id, b.epoch, e.number, e.number, e.ts, e.ts, e.seen, false
      from bounds b cross join unnest(b.each_number, b.each_ts, b.each_seen) e(number, ts, seen) where not b.is_run
      union all
      select r.*, true from bounds b join received_numbers r
        on r.device_id = b.device_id and r.epoch = b.epoch and r.first_number <= b.high + 1 and r.last_number >= b.low - 1) ranges
  ), pieces as materialized (
    select *, count(*) filter (where starts) over (
      partition by device_id, epoch order by first_number, is_kept desc rows unbounded preceding) as piece
    from marked
  ), gone as (
    delete from received_numbers r using pieces p
    where p.is_kept and not p.starts and r.device_id = p.device_id and r.epoch = p.epoch and r.first_number = p.first_number
    returning r.device_id
  ), merged as (
    insert into received_numbers as r
    select device_id, epoch, min(first_number), max(last_number), min(first_ts), max(last_ts), min(first_seen) from pieces
    group by device_id, epoch, piece order by device_id, epoch, min(first_number)
    on conflict (device_id, epoch, first_number) do update set
      last_number = excluded.last_number, first_ts = excluded.first_ts, last_ts = excluded.last_ts, first_seen = excluded.first_seen
      where (r.last_number, r.first_ts, r.last_ts, r.first_seen)
        <> (excluded.last_number, excluded.first_ts, excluded.last_ts, excluded.first_seen)
    returning r.device_id, r.epoch, r.last_number, xmax = 0 as is_new
  )
  select (select sum(numbers) from bounds), array(
    select device_id from gone
    union select m.device_id from merged m where m.is_new or exists (
      select from received_numbers r where r.device_id = m.device_id and r.epoch = m.epoch and r.first_number > m.last_number)
    union select g.device_id from bounds b join device_gaps g on g.device_id = b.device_id and g.missing is null)
  into total, changed;
  foreach one in array changed loop
    if (select count(*) from received_numbers r where r.device_id = one) > 1000 then perform trim_numbers(one); end if;
  end loop;
  perform summarize_gaps(changed);
  return coalesce(total, 0);
end $$;

-- History is read from its end to its beginning, or what is new and what is old would have a gap between them until all was read. A
-- segment is read with the step in which it begins.
create or replace function follow_numbers(most int)
returns table (events bigint, is_end boolean)
language plpgsql as $$
declare
  next record;
  since timestamptz;
  upto timestamptz;
begin
  events := 0;
  is_end := true;
  -- Another ingester is at it.
  if not pg_try_advisory_xact_lock('received_numbers'::regclass::oid::bigint) then
    return next;
    return;
  end if;
  with taken as (
    delete from received_pending returning *
  ), marked as (
    select *, coalesce(first_seen > interval '10 seconds' + max(last_seen) over (
      partition by is_history order by first_seen, last_seen rows between unbounded preceding and 1 preceding), true) as starts
    from taken
  ), pieces as (
    select *, count(*) filter (where starts) over (
      partition by is_history order by first_seen, last_seen rows unbounded preceding) as piece
    from marked
  )
  insert into received_pending select min(first_seen), max(last_seen), is_history from pieces group by is_history, piece;
  select * into next from received_pending p order by p.is_history, p.first_seen limit 1;
  if not found then
    return next;
    return;
  end if;
  since := next.first_seen;
  upto := next.last_seen;
  if next.is_history then
    since := greatest(since,
      (select e.ts_server from events e where e.ts_server <= upto order by e.ts_server desc offset most limit 1),
      (select s.last_seen from event_segments s where s.last_seen <= upto order by s.last_seen desc offset most / 1000 limit 1));
  else
    upto := least(upto,
      (select e.ts_server from events e where e.ts_server >= since order by e.ts_server offset most limit 1),
      (select s.last_seen from event_segments s where s.last_seen >= since order by s.last_seen offset most / 1000 limit 1));
  end if;
  events := read_numbers(since, upto, since = next.first_seen and upto = next.last_seen, next.is_history);
  delete from received_pending p
  where p.first_seen = next.first_seen and p.last_seen = next.last_seen and p.is_history = next.is_history;
  if since > next.first_seen then
    insert into received_pending values (next.first_seen, since - interval '1 microsecond', true);
  elsif upto < next.last_seen then
    insert into received_pending values (upto + interval '1 microsecond', next.last_seen, false);
  end if;
  is_end := not exists (select from received_pending);
  return next;
end $$;
