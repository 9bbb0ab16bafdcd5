-- Numbers by the hour, so that a chart of a year reads thousands of rows and not millions. A job of the ingester
-- follows the events: hours that are over, and hours into which something came later.
create table event_hours (
  device_id  text collate "C" not null,
  event_type text collate "C" not null,
  hour       timestamptz not null,
  events     bigint not null,
  low        double precision not null,
  high       double precision not null,
  total      double precision not null,
  primary key (device_id, event_type, hour)
);

comment on table event_hours is 'Numbers of each device and type by the hour of event time, up to event_hours_state.covered_to';
comment on column event_hours.events is 'How many had a number';
comment on column event_hours.total is 'Sum of the numbers; those of 1e300 and more are left out, they would overflow';

create table event_hours_state (
  only_row   boolean primary key default true check (only_row),
  -- Null: what was there before this table is not in it yet.
  covered_to timestamptz
);
insert into event_hours_state default values;

comment on column event_hours_state.covered_to is 'Every hour before it is in event_hours, but for what event_hours_backlog names';

-- A batch with an event of an hour before the current one says so, in its own transaction.
create table event_hours_backlog (
  backlog_id bigint generated always as identity primary key,
  first_seen timestamptz not null,
  last_seen  timestamptz not null
);

comment on table event_hours_backlog is 'Stretches of server time with events of hours that were over: to be looked at by the job';
