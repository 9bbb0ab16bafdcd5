-- A device can have a label or a time zone before anything was seen of it. The ingester takes the least and the
-- greatest of what is there and what it saw, and both leave nulls out.
alter table devices alter column first_seen drop not null;
alter table devices alter column last_seen drop not null;

comment on column devices.first_seen is 'Server time of the oldest event that was sent; null: none yet';
comment on column devices.last_seen is 'Server time of the newest event that was sent, stored or not, within ten seconds; null: none yet';
