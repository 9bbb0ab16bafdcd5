-- An event whose device time was implausible is stored at its arrival, so its segment is found by the device times in it. Only by those
-- of clocks that were a year wrong at most: one event of a clock that was never set would stretch its segment over decades, and each late
-- event of the device would unpack it.
create index event_segments_misdated on event_segments (device_id, last_device, first_device)
where misdated > 0 and last_device - first_device < interval '400 days';
