/** Rows that are hard to save: every kind of number, time, text and JSON that a column may hold. */
export function oddRows(events: number): string {
  return `
  insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local,
    ts_device_raw, ts_server, schema, meta, value_exact)
  select case n % 13 when 5 then E'\\\\.' || n when 6 then E'-- ;\\n''"\\t\\r\\\\N' || n else 'e' || n end, 'd' || n % 97, 't' || n % 7,
    case n % 9 when 0 then 'NaN' when 1 then 'Infinity' when 2 then '-Infinity' when 3 then '-0'
      when 4 then 5e-324 when 5 then 1.7976931348623157e308 when 6 then null when 7 then 2.2250738585072011e-308 else n / 7.0 end,
    case n % 5 when 0 then 'größe 温度 🌡 ' || n when 1 then E'tab\\tline\\nback\\\\slash \\\\. \\\\N' when 2 then ''
      when 3 then case when n % 1000 = 3 then repeat('ü', 8192) end end,
    case n % 3 when 0 then '°C' end,
    timestamptz '2026-01-01Z' + n * interval '1.000001 s', case n % 4 when 0 then 'infinity' when 1 then '-infinity' when 2 then now() end,
    case n % 4 when 0 then timestamp '2026-11-01 01:30:00.123456' end, case n % 11 when 0 then 'gestern' end,
    timestamptz '2026-01-01Z' + n * interval '1.000001 s', 1,
    case n % 6 when 0 then jsonb_build_object('n', n, 'big', 123456789012345678901234567890.50, 'ü', array[null, '"\\'])
      when 1 then 'null' when 2 then '{"a":1.00,"b":1e400,"c":-0.0,"":[]}' end,
    case n % 8 when 0 then '9007199254740993' end
  from generate_series(1, ${events}) n;
  insert into devices select 'd' || n, now(), now(), 'Asia/Tokyo', 'Küche' from generate_series(0, 96) n;
  insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
  select now(), 'qs/v1/d/events', 'X', 'e', 't', decode(lpad(to_hex(n), 4, '0'), 'hex') || '\\x00ff0a5c'::bytea, md5(n::text)::uuid
  from generate_series(1, 500) n;
  insert into dead_letter_history (dead_letter_id, action, payload, outcome)
  select dead_letter_id, 'replayed', '\\x00ff'::bytea, 'stored' from dead_letters where dead_letter_id % 9 = 0;
  insert into dead_letters_counted values (date_trunc('minute', now()), '', 'X', 7, 700);
  insert into ingest_stats values (date_trunc('minute', now()), 'w', 1, 3, 1, 1, 1);
  update event_hours_state set covered_to = '2026-01-01T01:00Z';
  select recount_series()`
}
