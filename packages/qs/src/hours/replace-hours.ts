/**
 * The end of a statement that counts hours again: CTEs after `compared`, which has for each unit of an hour the numbers
 * of its events, the count in event_hours (`kept`), and whether the two differ (`differs`). `wrong` has the replaced
 * hours.
 *
 * An hour with more events than are left is left alone: events were deleted, and the numbers by the hour stay
 * (docs/scaling.md). So is one that retention has begun to delete, even if as many events came late.
 *
 * @param among a condition on the rows of event_hours (`h`), for the planner, which cannot derive it from a CTE
 */
export const replaceHours = (among = 'true') => `
wrong as materialized (
  select * from (
    select *, bool_or(differs) over of_hour and sum(events) over of_hour >= sum(kept) over of_hour
      and (sum(kept) over of_hour = 0 or not exists (
        select from dropped_series d
        where d.device_id = c.device_id and d.event_type = c.event_type and d.dropped_to >= c.hour)) as is_wrong
    from compared c window of_hour as (partition by device_id, event_type, hour)) judged
  where is_wrong
), other_units as (
  delete from event_hours h using wrong w
  where ${among} and h.device_id = w.device_id and h.event_type = w.event_type and h.hour = w.hour and h.unit = w.unit
    and w.events = 0
), mended as (
  insert into event_hours (device_id, event_type, hour, unit, events, low, high, total)
  select device_id, event_type, hour, unit, events, low, high, total from wrong where events > 0
  on conflict (device_id, event_type, hour, unit) do update set
    events = excluded.events, low = excluded.low, high = excluded.high, total = excluded.total
)`
