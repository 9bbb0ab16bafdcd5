-- Telegraf's postgresql output copies a column for each field into the table, without expressions: value keeps its
-- name, meta becomes three columns, and PostgreSQL fills in ts_server. Primary key and indexes stay.
-- Views and functions that read these columns are not part of the comparison.
alter table events rename column value_num to value;
alter table events
  alter column ts_server set default now(),
  alter column schema type double precision,
  drop column meta cascade,
  add column meta_rssi double precision,
  add column meta_channel double precision,
  add column meta_fw text;
