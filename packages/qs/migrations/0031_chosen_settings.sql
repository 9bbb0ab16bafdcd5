-- Settings that somebody chose in the console, where neither the environment nor a file sets them.

create table chosen_settings (
  name      text collate "C" primary key,
  value     text not null,
  chosen_at timestamptz not null default now()
);

comment on table chosen_settings is 'Settings chosen in the console; the environment and .env go before them';
comment on column chosen_settings.value is 'As it would be in .env';
