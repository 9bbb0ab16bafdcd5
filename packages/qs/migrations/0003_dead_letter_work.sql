-- What people did with a dead letter. The letter itself, and its bytes, are never changed.
create table dead_letter_history (
  history_id     bigint generated always as identity primary key,
  dead_letter_id bigint not null references dead_letters on delete cascade,
  at             timestamptz not null default now(),
  action         text not null check (action in ('repaired', 'replayed')),
  -- Under which a replay is sent, where a repair said so.
  device_id      text collate "C",
  payload        bytea not null,
  outcome        text check (outcome in ('stored', 'duplicate', 'rejected', 'unanswered')),
  code           text,
  detail         text,
  constraint a_replay_has_an_outcome check ((action = 'replayed') = (outcome is not null))
);

comment on table dead_letter_history is 'Repairs and replays of dead letters, oldest first by history_id';
comment on column dead_letter_history.payload is 'What the letter was repaired to, or what was sent';
comment on column dead_letter_history.detail is 'What the device ack said beside the outcome';

create index dead_letter_history_letter on dead_letter_history (dead_letter_id, history_id);

-- A flood of poison must not fill the disk. What exceeds the rate of a device is counted here and not kept.
create table dead_letters_counted (
  minute    timestamptz not null,
  device_id text collate "C" not null,
  code      text not null,
  letters   bigint not null,
  bytes     bigint not null,
  primary key (minute, device_id, code)
);

comment on table dead_letters_counted is 'Dead letters above DEAD_LETTER_RATE or DEAD_LETTER_BYTES: only counted, per minute of commit';
comment on column dead_letters_counted.device_id is 'Empty: no device in the topic, or one of very many';
comment on column dead_letters_counted.bytes is 'Of the payloads that were not kept';
