-- Which numbers have come, where ids are <device>-<epoch>-<number>: so it is known which never came. A batch says in its own
-- transaction between which server times its events arrived (received_pending); follow_numbers() reads what was stored in between and
-- merges the numbers into ranges. Reading an event twice changes nothing, so it does not matter what overlaps, comes again or
-- dies. docs/decisions/0035-gaps.md has the reasons and what was measured.

create table received_numbers (
  device_id    text collate "C" not null,
  epoch        text collate "C" not null,
  first_number bigint not null,
  last_number  bigint not null check (last_number >= first_number),
  first_ts     timestamptz not null,
  last_ts      timestamptz not null,
  first_seen   timestamptz not null,
  primary key (device_id, epoch, first_number)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.5, autovacuum_vacuum_threshold = 5000);

comment on table received_numbers is 'Ranges of numbers without a gap that have come, by device and epoch; what lies between two never came';
comment on column received_numbers.epoch is 'What stands between device and number in an event_id: a run of the device';
comment on column received_numbers.first_ts is 'The smallest event time; last_ts: the greatest';
comment on column received_numbers.first_seen is 'The smallest server time: when the gap before this range was noticed';

create table received_pending (
  first_seen timestamptz not null,
  last_seen  timestamptz not null,
  is_history boolean not null default false
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

comment on table received_pending is 'Stretches of server time with events whose numbers follow_numbers() has yet to read';
comment on column received_pending.is_history is 'From before this table: retention may have deleted events of it';

-- What was stored before this migration.
insert into received_pending values ('-infinity', now() + interval '1 minute', true);

create table device_gaps (
  device_id      text collate "C" primary key,
  missing        bigint,
  gaps           int not null,
  complete_since timestamptz not null,
  unlisted       bigint not null default 0,
  unlisted_gaps  int not null default 0,
  unlisted_since timestamptz
);

comment on table device_gaps is 'What received_numbers says of each device, for lists; a device without a row sends no such ids';
comment on column device_gaps.missing is 'How many numbers never came; null: its numbers do not count up by one';
comment on column device_gaps.complete_since is 'Event time of the first event after the newest gap, or of the first of all';
comment on column device_gaps.unlisted is 'How many of the missing lie in gaps that are counted and no longer listed: there were too many';

-- A device that sends numbers in any order must not fill the disk. Beyond a thousand ranges, the newest 500 stay: older ones merge with
-- the next, so that their gaps are counted and no longer listed. What fills such a gap later does not change the count.
create function trim_numbers(of_device text)
returns void
language plpgsql as $$
begin
  with gone as (
    delete from received_numbers where device_id = of_device returning *
  ), ranked as (
    select *, row_number() over (order by last_ts desc, epoch desc, first_number desc) <= 500 as is_kept,
      first_number - 1 - lag(last_number) over (partition by epoch order by first_number) as missing
    from gone
  ), pieces as (
    select *, count(*) filter (where is_kept)
      over (partition by epoch order by first_number rows between unbounded preceding and 1 preceding) as piece
    from ranked
  ), judged as (
    select *, missing > 0 and (piece = lag(piece) over (partition by epoch order by first_number)
      or not bool_or(is_kept) over (partition by epoch, piece)) as is_unlisted
    from pieces
  ), back as (
    insert into received_numbers
    select of_device, epoch, min(first_number), max(last_number), max(first_ts) filter (where is_kept),
      max(last_ts) filter (where is_kept), max(first_seen) filter (where is_kept)
    from judged group by epoch, piece having bool_or(is_kept)
  )
  insert into device_gaps as g (device_id, missing, gaps, complete_since, unlisted, unlisted_gaps, unlisted_since)
  select of_device, 0, 0, max(first_ts), coalesce(sum(missing) filter (where is_unlisted), 0), count(*) filter (where is_unlisted),
    max(first_ts) filter (where is_unlisted)
  from judged
  on conflict (device_id) do update set
    unlisted = least(g.unlisted::numeric + excluded.unlisted, 9007199254740991),
    unlisted_gaps = least(g.unlisted_gaps::bigint + excluded.unlisted_gaps, 1000000000),
    unlisted_since = greatest(g.unlisted_since, excluded.unlisted_since);
end $$;

comment on function trim_numbers is 'Keeps the newest ranges of received_numbers of a device';

-- Nothing between half of the numbers: then they are no sequence, but times or random, and what lies between them is not missing.
create function summarize_gaps(of_devices text[])
returns void
language sql as $$
  insert into device_gaps as g (device_id, missing, gaps, complete_since)
  select device_id, case when count(*) filter (where missing > 0) = 0 or sum(received) >= 2 * (1 + count(*) filter (where missing > 0))
      then coalesce(sum(missing), 0) end,
    count(*) filter (where missing > 0), coalesce(max(first_ts) filter (where missing > 0), min(first_ts))
  from (
    select device_id, first_ts, last_number - first_number + 1 as received,
      first_number - 1 - lag(last_number) over (partition by device_id, epoch order by first_number) as missing
    from received_numbers where device_id = any(of_devices)) r
  group by device_id order by device_id
  on conflict (device_id) do update set
    missing = case when excluded.missing is not null then least(excluded.missing::numeric + g.unlisted, 9007199254740991) end,
    gaps = least(excluded.gaps::bigint + g.unlisted_gaps, 1000000000),
    complete_since = greatest(excluded.complete_since, g.unlisted_since)
$$;

comment on function summarize_gaps is 'Makes the rows of device_gaps of these devices anew';

-- Reads what arrived in a stretch of time. A range is kept under its first number; `starts` marks the first of those that touch or
-- overlap. Sealed events are read with the step in which their segment ends, and all of it; history, which is
-- read backwards, with the step in which it begins. PL/pgSQL for its plans: the stretch is a
-- small part of the table, whatever it holds.
-- Numbers of one device and epoch that arrive together are nearly always one run: they become one range by a hash, and only others are
-- sorted one by one, which halves the time. An id is written in one way only if all have the
-- same length or none has a leading zero: then as many ids as numbers are all of them.
create function read_numbers(since timestamptz, upto timestamptz, is_last boolean, is_history boolean)
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

comment on function read_numbers is 'Merges the numbers of events that arrived from `since` to `upto` into received_numbers';

-- One step: the oldest stretch, or a part of it with about `most` events. What is new comes before what is history.
-- History is read from its end to its beginning, or what is new and what is old would have a gap between them until all was read.
create function follow_numbers(most int)
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

comment on function follow_numbers is 'One step of bringing received_numbers up to date; is_end: nothing is left';

-- After the events of the devices are gone. The lock waits for a step that still saw them.
create function forget_numbers(of_devices text)
returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock('received_numbers'::regclass::oid::bigint);
  delete from received_numbers where starts_with(device_id, of_devices);
  delete from device_gaps where starts_with(device_id, of_devices);
end $$;

comment on function forget_numbers is 'Removes received_numbers of devices whose id begins with this';

create function gaps_of(of_device text)
returns table (epoch text, first_number bigint, last_number bigint, after_ts timestamptz, before_ts timestamptz, noticed_at timestamptz)
language sql stable as $$
  select r.epoch, r.last_before + 1, r.first_number - 1, r.ts_before, r.first_ts, r.first_seen
  from (
    select *, lag(n.last_number) over in_order as last_before, lag(n.last_ts) over in_order as ts_before
    from received_numbers n where n.device_id = of_device window in_order as (partition by n.epoch order by n.first_number)) r
  where r.first_number > r.last_before + 1
$$;

comment on function gaps_of is 'The numbers of a device that never came, with the event times before and after';

-- What was noticed within a day, so that an alert ends although what is lost stays lost.
alter table alert_rules drop constraint alert_rules_kind_check;
alter table alert_rules add constraint alert_rules_kind_check check (kind in
  ('device-silent', 'series-silent', 'value', 'clock', 'gaps', 'dead-letters', 'nothing-ingested', 'disk', 'service'));
insert into alert_rules (name, kind, for_seconds) values ('missing-events', 'gaps', 900);
