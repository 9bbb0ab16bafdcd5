import type { Alarm } from './alarm.ts'

/** Certificates of Let's Encrypt are renewed 30 days before their end. */
const SOON_MS = 14 * 86_400_000

/** The certificate of the TLS ports has expired or soon will. @param validToMs null: no TLS */
export function certificateAlarm(validToMs: () => number | null, now = Date.now): Alarm {
  return {
    name: 'certificate',
    check: () => {
      const endMs = validToMs()
      if (endMs === null || endMs - now() > SOON_MS) return null
      const date = new Date(endMs).toISOString().slice(0, 10)
      const what = endMs > now() ? `expires on ${date}` : `expired on ${date}`
      return `the certificate of MQTT_TLS_PORT and MQTT_WSS_PORT ${what}: boards that check it cannot connect after that. Renew it with qs certificate, or replace the files of MQTT_TLS_CERT_FILE and MQTT_TLS_KEY_FILE; no restart is needed`
    },
  }
}
