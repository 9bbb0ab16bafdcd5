-- The functions of packages/qs/migrations that read events, rewritten for Citus: over a distributed table it refuses
-- recursive CTEs and lateral subqueries with a limit, also in SQL functions, but accepts PL/pgSQL functions, whose
-- statements run separately. The results are the same; packages/qs/test/database/citus.test.ts compares them.

create or replace function newest_events(
  of_device text, of_type text, at_most bigint,
  since timestamptz default '-infinity', before timestamptz default 'infinity', before_id text default '',
  only_texts boolean default false
)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
begin
  return query
    select * from events e
    where e.device_id = of_device and e.event_type = of_type
      and e.ts >= since and (e.ts, e.event_id) < (before, before_id)
      and (not only_texts or e.value_text is not null)
    order by e.ts desc, e.event_id desc limit at_most;
end $$;

create or replace function events_between(of_device text, of_type text, since timestamptz, until timestamptz)
returns table (
  event_id text, device_id text, event_type text, value_num double precision, value_text text, unit text,
  ts timestamptz, ts_device timestamptz, ts_device_local timestamp, ts_device_raw text, ts_server timestamptz,
  schema smallint, meta jsonb, value_exact text
)
language plpgsql stable as $$
begin
  return query
    select * from events e
    where e.device_id = of_device and e.event_type = of_type and e.ts between since and until;
end $$;

create or replace function event_numbers(
  of_device text, of_type text, since timestamptz, before timestamptz, width interval, origin timestamptz default 'epoch'
)
returns table (
  at timestamptz, unit text, events bigint, low double precision, high double precision, total double precision
)
language plpgsql stable as $$
begin
  return query
    select date_bin(width, e.ts, origin), coalesce(e.unit, ''), count(*), min(e.value_num), max(e.value_num),
      coalesce(sum(e.value_num) filter (where abs(e.value_num) < 1e300), 0)
    from events e
    where e.device_id = of_device and e.event_type = of_type and e.ts >= since and e.ts < before
      and e.value_num is not null
    group by 1, 2;
end $$;

create or replace function clock_ahead(of_device text, since timestamptz, before timestamptz, width interval)
returns table (at timestamptz, ahead double precision)
language plpgsql stable as $$
declare
  kind text;
begin
  for kind in select s.event_type from event_series(array[of_device]) s loop
    at := before;
    loop
      select date_bin(width, e.ts, 'epoch'), extract(epoch from e.ts_device - e.ts_server) into at, ahead from events e
      where e.device_id = of_device and e.event_type = kind and e.ts >= since and e.ts < at
        and e.ts_device is not null
      order by e.ts desc limit 1;
      exit when not found;
      return next;
    end loop;
  end loop;
end $$;

create or replace function late_hours(first_seen timestamptz, last_seen timestamptz, over timestamptz)
returns table (device_id text, event_type text, hour timestamptz)
language plpgsql stable as $$
begin
  return query
    select distinct e.device_id, e.event_type, date_bin('1 hour', e.ts, 'epoch') from events e
    where e.ts_server >= first_seen and e.ts_server <= last_seen and e.ts < over;
end $$;
