-- Ids are compared for identity and order, never shown in a language's order: collation "C" compares bytes,
-- which makes the primary key cheaper to maintain and the same on every host.

create table events (
  event_id        text collate "C" primary key,
  device_id       text collate "C" not null,
  event_type      text collate "C" not null,
  value_num       double precision,
  value_text      text,
  unit            text,
  ts              timestamptz not null,
  ts_device       timestamptz,
  ts_device_local timestamp,
  ts_device_raw   text,
  ts_server       timestamptz not null,
  schema          smallint not null,
  meta            jsonb
);

comment on table events is 'One row per event_id, for ever';
comment on column events.ts is 'Event time, what charts use: ts_device where it is plausible, otherwise ts_server';
comment on column events.ts_device is 'The device''s clock';
comment on column events.ts_device_local is 'The wall time that the device sent, where it sent no offset; ts_device is its reading in the zone of the device';
comment on column events.ts_device_raw is 'What the device sent as its time, where it could not be read; ts_device is null then';
comment on column events.ts_server is 'When the ingester took the message in';
comment on column events.meta is 'meta as sent; unknown top-level fields under _extra';

-- A chart of one device and type over any time; and "what came last".
create index events_device_type_ts on events (device_id, event_type, ts);
create index events_ts_server on events (ts_server);

create table devices (
  device_id  text collate "C" primary key,
  first_seen timestamptz not null,
  last_seen  timestamptz not null,
  time_zone  text,
  label      text
);

comment on column devices.last_seen is 'Server time of the newest event that was sent, stored or not, within ten seconds';
comment on column devices.time_zone is 'IANA zone for times without offset, where it is not DEVICE_TIMEZONE; yours to set';
comment on column devices.label is 'A name for people; yours to set';

create table dead_letters (
  dead_letter_id bigint generated always as identity primary key,
  received_at    timestamptz not null,
  topic          text not null,
  device_id      text collate "C",
  event_id       text collate "C",
  code           text not null,
  error          text not null,
  trace          text not null,
  payload        bytea not null,
  -- Topic, payload and place in the array. Not unique: what a device sends twice is kept twice. It tells what
  -- the broker redelivered after it had been kept.
  fingerprint    uuid not null
);

comment on column dead_letters.payload is 'The original bytes: of the message, or of the element of its array';

create index dead_letters_received_at on dead_letters (received_at);
create index dead_letters_fingerprint on dead_letters (fingerprint);

create table ingest_stats (
  minute    timestamptz not null,
  writer    text not null,
  messages  bigint not null,
  received  bigint not null,
  stored    bigint not null,
  duplicate bigint not null,
  rejected  bigint not null,
  primary key (minute, writer),
  constraint every_event_has_an_end check (received = stored + duplicate + rejected)
);

comment on table ingest_stats is 'What became of everything taken in, per minute of commit and per connection of an ingester: sum over writer';

create view clock_drift as
select
  device_id,
  event_id,
  event_type,
  ts_server,
  ts_device,
  extract(epoch from ts_device - ts_server)::double precision as offset_seconds,
  ts = ts_device as plausible
from events
where ts_device is not null;

comment on view clock_drift is 'How far a device''s clock was ahead of the server''s (negative: behind, or the event waited on the device)';
