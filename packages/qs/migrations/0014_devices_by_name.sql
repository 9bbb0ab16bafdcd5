-- The first page by name is what Overview and Devices ask every few seconds. No update of a batch changes a column of this
-- index, so that updates stay HOT.
create index devices_by_name on devices ((lower(coalesce(label, device_id)) collate "C"), device_id);
