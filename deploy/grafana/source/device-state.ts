/** Seconds without an event after which a row of `devices` is silent; docs/decisions/0023-silence.md. */
const SILENT_AFTER = 'coalesce(silent_after_set, silent_after)'

/** Whether a row of `devices` is not in the archive. */
export const IN_USE = 'not is_archived(archived_at, last_seen)'

/** The state of a row of `devices`: that of device_status(), and `gone` after a week of silence. */
export const DEVICE_STATE = `case
    when device_status(last_seen, ${SILENT_AFTER}) <> 'silent' then device_status(last_seen, ${SILENT_AFTER})
    when last_seen < now() - interval '7 days' then 'gone'
    else 'silent'
  end`

export const STATE_COLOURS = {
  online: 'green',
  silent: 'red',
  quiet: 'text',
  gone: 'text',
  never: 'yellow',
  'no rhythm': 'text',
}
