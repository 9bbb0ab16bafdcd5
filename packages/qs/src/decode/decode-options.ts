import type { Config } from '../config/settings.ts'
import type { DecodeOptions } from './context.ts'

/** Decode options from the settings; `timeZoneOf` returns the zone of a device that has its own. */
export function decodeOptions(
  config: Config,
  timeZoneOf: (deviceId: string) => string | undefined,
): DecodeOptions {
  return {
    topic: config.MQTT_EVENTS_TOPIC,
    limits: {
      messageBytes: config.LIMIT_MESSAGE_BYTES,
      arrayEvents: config.LIMIT_ARRAY_EVENTS,
      idBytes: config.LIMIT_ID_BYTES,
      unitBytes: config.LIMIT_UNIT_BYTES,
      tsDeviceBytes: config.LIMIT_TS_DEVICE_BYTES,
      valueTextBytes: config.LIMIT_VALUE_TEXT_BYTES,
      metaBytes: config.LIMIT_META_BYTES,
      metaDepth: config.LIMIT_META_DEPTH,
    },
    eventIdRule: config.EVENT_ID_RULE,
    clockTrust: { maxPastMs: config.DEVICE_CLOCK_MAX_PAST, maxFutureMs: config.DEVICE_CLOCK_MAX_FUTURE },
    timeZoneOf: (deviceId) => timeZoneOf(deviceId) ?? config.DEVICE_TIMEZONE,
  }
}
