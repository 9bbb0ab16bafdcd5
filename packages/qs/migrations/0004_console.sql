-- Who did what in the console: repairs, replays, deletions, accounts, logins.
create table audit_log (
  audit_id bigint generated always as identity primary key,
  at       timestamptz not null default now(),
  actor    text not null,
  address  text not null,
  action   text not null,
  detail   jsonb not null
);

comment on table audit_log is 'What people did in the console, oldest first by audit_id';
comment on column audit_log.actor is 'operator or viewer; local: a console that is open on loopback';
comment on column audit_log.address is 'From which address';
