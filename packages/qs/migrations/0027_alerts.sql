-- Rules, what they say now, what they have said, where it goes, and what has still to be sent. The ingester evaluates the rules and keeps
-- its state here, so that a restart neither forgets nor repeats.

create table alert_rules (
  name           text collate "C" primary key check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  kind           text not null check (kind in
    ('device-silent', 'series-silent', 'value', 'clock', 'dead-letters', 'nothing-ingested', 'disk', 'service')),
  devices        text collate "C" not null default '*',
  types          text collate "C" not null default '*',
  rooms          text not null default '*',
  unit           text,
  above          double precision,
  below          double precision,
  back           double precision not null default 0 check (back >= 0),
  for_seconds    double precision not null default 0 check (for_seconds between 0 and 31536000),
  remind_seconds double precision default 86400 check (remind_seconds >= 60),
  urgent         boolean not null default false,
  channels       text[] not null default '{}',
  muted_until    timestamptz,
  created_at     timestamptz not null default now(),
  check (kind <> 'value' or above is not null or below is not null),
  check (above is null or below is null or below < above)
);

comment on table alert_rules is 'What alerts are about; qs alert and the console change it';
comment on column alert_rules.devices is 'Ids of devices, * for any characters, ? for one; types and rooms likewise';
comment on column alert_rules.back is 'Hysteresis: how far inside the limit a value has to return before the alert ends';
comment on column alert_rules.for_seconds is 'How long it must last. dead-letters: the time in which they are counted; nothing-ingested: without an event';
comment on column alert_rules.remind_seconds is 'Told again after this time while it lasts; null: never';
comment on column alert_rules.urgent is 'Also in the quiet hours of a channel';
comment on column alert_rules.channels is 'Names of channels; empty: all';
comment on column alert_rules.muted_until is 'Until then nothing is sent; infinity: until somebody unmutes it';

create table alert_states (
  rule        text collate "C" not null references alert_rules on delete cascade,
  device_id   text collate "C" not null,
  event_type  text collate "C" not null,
  state       text not null check (state in ('held', 'pending', 'firing')),
  since       timestamptz not null,
  fired_at    timestamptz,
  notified_at timestamptz,
  value       double precision,
  message     text not null,
  primary key (rule, device_id, event_type)
);

comment on table alert_states is 'What is wrong now. held: silent together with all other devices; pending: not for long enough yet';
comment on column alert_states.device_id is 'Empty: the rule is not about a device; event_type likewise';
comment on column alert_states.notified_at is 'When channels were last told; null: nobody was';

create table alert_history (
  history_id bigint generated always as identity primary key,
  at         timestamptz not null,
  rule       text collate "C" not null,
  device_id  text collate "C" not null,
  event_type text collate "C" not null,
  change     text not null check (change in ('firing', 'ended', 'reminder', 'test')),
  message    text not null,
  value      double precision
);
create index alert_history_at on alert_history (at);
create index alert_history_device on alert_history (device_id);

comment on table alert_history is 'What alerts have said, for 90 days';

create table alert_channels (
  name          text collate "C" primary key check (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  kind          text not null check (kind in ('webhook', 'ntfy', 'telegram', 'mail', 'mqtt')),
  settings      jsonb not null,
  shown         text not null,
  quiet_from    time,
  quiet_to      time,
  quiet_zone    text,
  created_at    timestamptz not null default now(),
  attempts      int not null default 0,
  next_at       timestamptz not null default '-infinity',
  tried_at      timestamptz,
  failing_since timestamptz,
  error         text,
  sent_at       timestamptz,
  check ((quiet_from is null) = (quiet_to is null) and (quiet_from is null) = (quiet_zone is null))
);

comment on table alert_channels is 'Where alerts go';
comment on column alert_channels.settings is 'With its secrets: only the ingester reads it';
comment on column alert_channels.shown is 'The settings without secrets, for people';
comment on column alert_channels.attempts is 'Failures in a row';
comment on column alert_channels.next_at is 'Not tried before; also claims the channel while a message is on its way';

create function alert_is_quiet(quiet_from time, quiet_to time, quiet_zone text, at timestamptz)
returns boolean
language sql stable as $$
  select coalesce(case when quiet_from <= quiet_to then t >= quiet_from and t < quiet_to else t >= quiet_from or t < quiet_to end, false)
  from (select (at at time zone quiet_zone)::time as t) x
$$;

comment on function alert_is_quiet is 'Whether these are quiet hours; 22:00 to 07:00 goes over midnight';

create table alert_outbox (
  outbox_id  bigint generated always as identity primary key,
  channel    text collate "C" not null references alert_channels on delete cascade,
  history_id bigint not null references alert_history on delete cascade,
  urgent     boolean not null,
  created_at timestamptz not null,
  sent_at    timestamptz
);
create index alert_outbox_waiting on alert_outbox (channel, outbox_id) where sent_at is null;
create index alert_outbox_history on alert_outbox (history_id);

comment on table alert_outbox is 'What each channel has to be told; rows stay until their history goes';

-- What a house without a person in front of the console needs to hear of. They are rules like any other.
insert into alert_rules (name, kind, above, below, back, for_seconds) values
  ('silent-devices', 'device-silent', null, null, 0, 60),
  ('silent-sensors', 'series-silent', null, null, 0, 60),
  ('nothing-ingested', 'nothing-ingested', null, null, 0, 900),
  ('dead-letters', 'dead-letters', 10, null, 0, 3600),
  ('clocks', 'clock', 60, null, 0, 3600),
  ('disk', 'disk', null, 10, 2, 300),
  ('service', 'service', null, null, 0, 120);
