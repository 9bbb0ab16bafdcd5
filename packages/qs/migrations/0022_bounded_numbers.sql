-- Charts read numbers alone, and unpack three columns of a segment instead of all: 1.7 µs an event instead of 3.5.
create view bounded_numbers as
select device_id, event_type, value_num, unit, ts, ts as first_ts, ts as last_ts from events where value_num is not null
union all
select device_id, event_type, value_num, unit, ts, first_ts, last_ts from sealed_numbers;

comment on view bounded_numbers is 'The numbers of all events by event time, with the bounds of their segments: restrict a range by both';
