-- The comments that \d+ shows, reworded in plain English. Nothing else changes.

comment on table events is 'One row per event_id, kept forever';
comment on column events.ts is 'Event time, which charts use: ts_device if it is plausible, otherwise ts_server, less age_ms';
comment on column events.ts_device is 'The device''s clock; null if it sent no time or an unreadable one';
comment on column events.ts_device_local is 'The wall time as sent, if it had no offset; ts_device is its interpretation in the zone of the device';
comment on column events.ts_device_raw is 'The time as sent, if it could not be read; ts_device is null then';
comment on column events.ts_server is 'When the ingester received the message';
comment on column events.meta is 'meta as sent; unknown top-level fields are under _extra';
comment on column events.value_exact is
  'The number as sent, if value_num is only the nearest double; otherwise null. Empty in rows older than this column';

comment on column devices.first_seen is 'Server time of the first event that was sent, stored or not; null: none yet';
comment on column devices.last_seen is 'Server time of the newest event that was sent, stored or not, accurate to ten seconds; null: none yet';
comment on column devices.time_zone is 'IANA zone of times without an offset, if it is not DEVICE_TIMEZONE; set by users';
comment on column devices.label is 'Display name; set by users';
comment on column devices.room is 'Location, which several devices may share; set by users';
comment on column devices.silent_after is 'Seconds without an event after which the device is silent, by the rhythm of its series; null: no rhythm';
comment on column devices.silent_after_set is 'The same, set by a user; takes precedence over silent_after. infinity: never silent';
comment on column devices.silent_series is 'Number of its series that were silent at last_seen';
comment on column devices.types is 'Number of event types it has sent, counted up to 1,000, as of last_seen';
comment on column devices.clock is 'good, off (by more than a minute), implausible, unreadable, absent or unknown, as of last_seen';
comment on column devices.clock_offset is 'Seconds by which its clock was ahead, as of last_seen; null: it sent no time';

comment on table series is 'One row per device and event type: count, first and last times, and the newest reading (ts to ts_server)';
comment on column series.events is 'Number of stored events';
comment on column series.first_ts is 'Earliest event time';
comment on column series.first_seen is 'Earliest server time';
comment on column series.last_seen is 'Latest server time';
comment on column series.every_seconds is 'Usual time between two events: a moving average, dominated by the last ten';
comment on column series.ts is 'Event time of the newest event, by ts and then by event_id';
comment on column series.value_text is 'The first 200 characters of its text';
comment on column series.ts_device_readable is 'False: the device sent a time that could not be read';
comment on column series.arrived_at is 'Server time of the last arrival; events within 20 seconds after it belong to it';
comment on column series.gaps is 'Seconds between the last ten arrivals, newest last';
comment on column series.silent_after is 'Seconds without an event after which the series is silent; null: no rhythm';
comment on column series.pauses is 'Begin and end of each of the last five gaps that were longer than the rhythm allowed, in one array';

comment on table series_pending is 'Changes of series that are committed but not merged yet; fold_series() merges them';
comment on column series_pending.newest is
  'Time of the newest event in 27 characters, a space and its event_id, so that the greatest text is the newest event';
comment on column series_pending.first_ts is 'Null: the time of the newest event';
comment on column series_pending.first_seen is 'Null: the same as last_seen';

comment on column dead_letters.payload is 'The original bytes, of the message or of one element of its array';
comment on table dead_letter_history is 'Repairs and replays of dead letters, oldest first by history_id';
comment on column dead_letter_history.payload is 'The repaired payload, or the payload that was sent';
comment on column dead_letter_history.detail is 'What the device ack said besides the outcome';
comment on table dead_letters_counted is 'Dead letters above DEAD_LETTER_RATE or DEAD_LETTER_BYTES, counted per minute of commit and not kept';
comment on column dead_letters_counted.device_id is 'Empty: no device in the topic, or too many devices to count each';
comment on column dead_letters_counted.bytes is 'Payload bytes that were not kept';

comment on table ingest_stats is 'Outcomes of all received events, per minute of commit and per connection of an ingester; sum over writer';
comment on table ingest_stops is
  'Times in which nothing was stored for longer than 15 minutes and longer than is usual for the most frequent device; they do not count as silence';
comment on table audit_log is 'Changes made in the console, oldest first by audit_id';
comment on column audit_log.actor is 'operator or viewer; local: the console was open on loopback';
comment on column audit_log.address is 'Client address';
comment on table pinned is 'Readings that the overview of the console shows first, for every user';

comment on table event_hours is 'Numbers by the hour of event time, per device, type and unit, up to event_hours_state.covered_to';
comment on column event_hours.unit is 'Empty: events without a unit';
comment on column event_hours.events is 'Number of events with a number';
comment on column event_hours.total is 'Sum of the numbers, without those of 1e300 and more, which would overflow';
comment on column event_hours_state.covered_to is 'All hours before it are in event_hours, except those in event_hours_backlog';
comment on column event_hours_state.checked_device is
  'With checked_type, the series last compared with its events; null: the next comparison begins with the first series';
comment on column event_hours_state.recounted_at is
  'When every series had been compared once; null: hours that an earlier version left out are still being counted';
comment on table event_hours_backlog is 'Ranges of server time with events of hours that had ended; the job recounts these hours';

comment on view clock_drift is 'Seconds by which a device''s clock was ahead of the server''s (negative: behind, or the event waited on the device)';
comment on view silence is
  'Devices (event_type is null) and series: time since the last event, and whether that is silence. A series is silent only while its device is not';

comment on function event_series() is 'Every device and event type';
comment on function event_series(text[]) is 'The event types of these devices';
comment on function newest_events is 'The newest events of one series, newest first';
comment on function events_between is 'The events of one series in a time range';
comment on function event_numbers is
  'The numbers of one series per bucket and unit: count, minimum, maximum and sum, without numbers of 1e300 and more';
comment on function clock_ahead is 'Seconds by which the clock of a device was ahead, per bucket and series';
comment on function late_hours is 'The hours before `over` of events received from one server time to another';
comment on function recount_series is 'Rebuilds the rows of series from events, for these devices or for all; run it after manual changes to events';
comment on function make_series_anew is 'The part of recount_series that counts';
comment on function fold_series is 'Merges series_pending into series';
comment on function freshest_event is 'Times of the newest reading of a device, of the type that arrived last';
comment on function recent_arrivals is 'The values of series.arrived_at and series.gaps, derived from the newest hundred events';
comment on function next_gaps is 'Adds the newest gap between two arrivals, and keeps nine';
comment on function next_pauses is 'Adds the newest gap if it is longer than the rhythm allows, and keeps five';
comment on function silent_after is 'Three times the median gap, in seconds; null if the gaps have no rhythm';
comment on function with_pauses is 'silent_after or, for a series with regular pauses, one and a half times its longest pause';
comment on function next_silent_after is 'silent_after, updated by the gap between two arrivals';
comment on function is_silent is
  'Whether a device or a series has been quiet for longer than its rhythm allows, not counting the time in which ingest stood still';
comment on function is_series_silent is 'Whether a series was already silent when its device was last seen, and still is';
comment on function device_status is
  'online; silent; quiet: no event for fifteen minutes, and no rhythm to judge it by; never: no event yet';
comment on function rhythm_of is
  'Seconds after which a device last seen at this time is silent, and the number of its series that were silent then';
comment on function clock_of is 'State of the device''s clock, by the times of one event';
comment on function summary_of is 'The values of devices.types, clock and clock_offset, derived from the series of the device';
comment on function stopped_seconds is 'Seconds in which ingest stood still in this time range';
comment on function note_ingest_stops is 'Records the stops of ingest of the last eight days, up to now';
