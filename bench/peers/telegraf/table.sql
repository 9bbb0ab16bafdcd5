-- Its postgresql output writes a column for each field, copies into the table and knows no expression: the value keeps
-- its name, meta becomes three columns, and ts_server is filled in by PostgreSQL. Primary key and indexes stay.
alter table events rename column value_num to value;
alter table events
  alter column ts_server set default now(),
  alter column schema type double precision,
  drop column meta,
  add column meta_rssi double precision,
  add column meta_channel double precision,
  add column meta_fw text;
