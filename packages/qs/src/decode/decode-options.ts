import type { EventTopic, Instant, Limits } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import type { ClockTrust } from './event-time.ts'

export interface DecodeOptions {
  readonly topic: EventTopic
  readonly limits: Limits
  readonly clockTrust: ClockTrust
  /** `device`: an event id must begin with the device id and a hyphen. Default `any`. */
  readonly eventIdRule?: 'any' | 'device'
  /** The time zone for a device's times without an offset. */
  readonly timeZoneOf: (deviceId: string) => string
}

/** Shared by all elements of a message. */
export interface MessageContext {
  readonly options: DecodeOptions
  /** From the topic. */
  readonly deviceId: string | null
  readonly receivedAt: Instant
  readonly tsServer: string
}

/** Settings that may change while the process runs. */
export interface ChosenTimes {
  get<Name extends 'DEVICE_TIMEZONE' | 'DEVICE_CLOCK_MAX_PAST' | 'DEVICE_CLOCK_MAX_FUTURE'>(
    name: Name,
  ): Config[Name]
}

/** Decode options from the settings; `timeZoneOf` returns the zone of a device that has its own. */
export function decodeOptions(
  config: Config,
  timeZoneOf: (deviceId: string) => string | undefined,
  chosen: ChosenTimes = { get: (name) => config[name] },
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
    clockTrust: {
      get maxPastMs() {
        return chosen.get('DEVICE_CLOCK_MAX_PAST')
      },
      get maxFutureMs() {
        return chosen.get('DEVICE_CLOCK_MAX_FUTURE')
      },
    },
    timeZoneOf: (deviceId) => timeZoneOf(deviceId) ?? chosen.get('DEVICE_TIMEZONE'),
  }
}
