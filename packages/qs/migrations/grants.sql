-- The rights of each existing role (deploy/postgres/roles.sh creates them). Not a migration: the owner applies this file
-- after the migrations, every time, and it changes with them. A right that is not listed here is revoked.
-- Add each new table here, for every role; test/database/grants.test.ts lists the rights that a role must not have.

do $$
declare
  relation regclass;
begin
  if to_regrole('qs_ingester') is not null then
    revoke all on events, devices, dead_letters, dead_letters_counted, dead_letter_history, ingest_stats, clock_drift, silence,
      event_hours, event_hours_state, event_hours_backlog, series, series_pending, ingest_stops, pinned, audit_log, schema_migrations,
      event_segments, sealed_events, sealed_numbers, bounded_events, bounded_numbers, event_history, sealing,
      retention, retention_exceptions, dropped_series,
      alert_rules, alert_states, alert_history, alert_channels, alert_outbox, received_numbers, received_pending, device_gaps,
      chosen_settings from qs_ingester;
    grant select, insert on events, dead_letters to qs_ingester;
    grant select, insert, update (events, first_ts, first_seen, last_seen, every_seconds, arrived_at, gaps, pauses, silent_after, ts,
      event_id, value_num, value_text, unit, ts_device, ts_device_readable, ts_server) on series to qs_ingester;
    grant select, insert, delete on series_pending to qs_ingester;
    grant select, insert, update (ended) on ingest_stops to qs_ingester;
    -- Users set label, time_zone, room, notes, archived_at and silent_after_set.
    grant select, insert, update (first_seen, last_seen, silent_after, silent_series, types, clock, clock_offset) on devices to qs_ingester;
    grant select, insert, update (messages, received, stored, duplicate, rejected) on ingest_stats to qs_ingester;
    grant select, insert, update (letters, bytes) on dead_letters_counted to qs_ingester;
    grant select, insert, update, delete on event_hours to qs_ingester;
    grant select, update (covered_to, checked_device, checked_type, recounted_at) on event_hours_state to qs_ingester;
    grant select, insert, delete on event_hours_backlog to qs_ingester;
    grant select, insert, update, delete on received_numbers to qs_ingester;
    grant select, insert, delete on received_pending to qs_ingester;
    grant select, insert, update on device_gaps to qs_ingester;
    -- To check whether the schema is up to date.
    grant select on schema_migrations to qs_ingester;
    grant select on chosen_settings to qs_ingester;
    -- It deletes no events: seal_next() does, with the rights of the owner, once they are in a segment.
    grant select on event_segments, sealed_events, sealed_numbers, bounded_events, bounded_numbers, event_history, sealing to qs_ingester;
    grant select on retention, retention_exceptions, dropped_series to qs_ingester;
    grant execute on function seal_next(interval, int), drop_expired(int), make_room(bigint, int) to qs_ingester;
    -- It evaluates rules and tells channels of it; it changes neither.
    grant select on alert_rules, alert_channels to qs_ingester;
    grant select, insert, update, delete on alert_states to qs_ingester;
    grant select, insert, delete on alert_history to qs_ingester;
    grant select, insert, update (sent_at) on alert_outbox to qs_ingester;
    grant update (attempts, next_at, tried_at, failing_since, error, sent_at) on alert_channels to qs_ingester;
  end if;

  if to_regrole('qs_console') is not null then
    revoke all on events, devices, dead_letters, dead_letters_counted, dead_letter_history, ingest_stats, clock_drift, silence,
      event_hours, event_hours_state, event_hours_backlog, series, series_pending, ingest_stops, pinned, audit_log, schema_migrations,
      event_segments, sealed_events, sealed_numbers, bounded_events, bounded_numbers, event_history, sealing,
      retention, retention_exceptions, dropped_series,
      alert_rules, alert_states, alert_history, alert_channels, alert_outbox, received_numbers, received_pending, device_gaps,
      chosen_settings from qs_console;
    grant select on events, series, ingest_stops, dead_letters_counted, ingest_stats, event_hours, event_hours_state to qs_console;
    grant select on event_segments, sealed_events, sealed_numbers, bounded_events, bounded_numbers, event_history, sealing,
      retention, retention_exceptions, dropped_series to qs_console;
    grant select on received_numbers, device_gaps to qs_console;
    grant select, delete on dead_letters to qs_console;
    grant select, insert on dead_letter_history, audit_log to qs_console;
    grant select, insert, update (label, time_zone, room, notes, archived_at, silent_after_set) on devices to qs_console;
    -- It may remove a device with everything about it; of events it can delete nothing else.
    grant execute on function remove_device_events(text, int) to qs_console;
    grant delete on devices, series, event_hours, dropped_series, dead_letters_counted, alert_states, alert_history to qs_console;
    grant select, insert, delete on pinned to qs_console;
    grant select, insert, update, delete on chosen_settings to qs_console;
    grant select, insert, update, delete on alert_rules to qs_console;
    grant select on alert_states to qs_console;
    -- A channel's settings hold its secrets: the console writes them and never reads them.
    grant select (name, kind, shown, quiet_from, quiet_to, quiet_zone, created_at, attempts, next_at, failing_since, error, sent_at),
      insert, delete on alert_channels to qs_console;
    -- Its test button writes a message for the ingester to send.
    grant select, insert on alert_history, alert_outbox to qs_console;
  end if;

  if to_regrole('grafana') is not null then
    revoke all on events, devices, dead_letters, dead_letters_counted, dead_letter_history, ingest_stats, clock_drift, silence,
      event_hours, event_hours_state, event_hours_backlog, series, series_pending, ingest_stops, pinned, audit_log, schema_migrations,
      event_segments, sealed_events, sealed_numbers, bounded_events, bounded_numbers, event_history, sealing,
      retention, retention_exceptions, dropped_series,
      alert_rules, alert_states, alert_history, alert_channels, alert_outbox, received_numbers, received_pending, device_gaps,
      chosen_settings from grafana;
    grant select on events, series, ingest_stops, devices, pinned, dead_letters, dead_letters_counted, dead_letter_history, ingest_stats,
      event_hours, event_hours_state, event_segments, sealing, retention, retention_exceptions, dropped_series,
      alert_rules, alert_states, alert_history, received_numbers, device_gaps to grafana;
    -- Every view, including those created by users.
    for relation in
      select oid from pg_class
      where relkind in ('v', 'm') and relnamespace = (select relnamespace from pg_class where oid = 'events'::regclass)
        and pg_has_role(relowner, 'usage')
    loop
      execute format('grant select on %s to grafana', relation);
    end loop;
  end if;
end $$;
