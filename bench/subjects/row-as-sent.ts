/** The condition for a row of `events` with the content that the event stream sends. */
export const ROW_AS_SENT = `value_num between 18 and 28
  and unit = '°C' and event_type = 'temp' and schema = 1 and ts = ts_device and ts_device_raw is null
  and meta->>'fw' = '1.4.2'`
