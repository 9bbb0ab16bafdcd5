import { DEFAULT_LIMITS, DEFAULT_TOPICS } from '@qs-telemetry/protocol'
import type { Kind } from './kinds.ts'
import * as kinds from './kinds.ts'

/** One setting. Validation, `qs config`, .env.example and docs/reference/settings.md all come from here. */
export interface Setting<T> {
  readonly group: string
  readonly kind: Kind<T>
  /** As it would stand in .env; null where there is none. */
  readonly default: string | null
  readonly about: string
  /** Hidden by `qs config`; may come as NAME_FILE. */
  readonly secret?: true
}

function setting<T>(
  group: string,
  kind: Kind<T>,
  fallback: string,
  about: string,
): Setting<T> & { readonly default: string } {
  return { group, kind, default: fallback, about }
}

function optional<T>(
  group: string,
  kind: Kind<T>,
  about: string,
  secret?: true,
): Setting<T> & { readonly default: null } {
  return { group, kind, default: null, about, ...(secret && { secret }) }
}

const bytes = (count: number): string => (count % 1024 === 0 ? `${count / 1024}KiB` : String(count))

export const SETTINGS = {
  MQTT_URL: optional(
    'MQTT',
    kinds.brokerUrl,
    'URL of the broker. Without it: the embedded broker, on MQTT_PORT of this machine. MQTT 5, with a fallback to 3.1.1',
  ),
  MQTT_CLIENT_ID: setting(
    'MQTT',
    kinds.text,
    'qs-ingester',
    'Client id of the durable session. Each ingester needs one of its own that never changes',
  ),
  MQTT_USERNAME: optional('MQTT', kinds.text, 'User at the broker'),
  MQTT_PASSWORD: optional('MQTT', kinds.text, 'Password at the broker', true),
  MQTT_CA_FILE: optional(
    'MQTT',
    kinds.text,
    'Certificate authority (PEM) for mqtts, if it is not a public one',
  ),
  MQTT_EVENTS_TOPIC: setting(
    'MQTT',
    kinds.eventTopic,
    DEFAULT_TOPICS.events,
    'Topic filter of the events. Its only + stands for the device id; $share/group/… shares the load among ingesters',
  ),
  ACK_TEMPLATE: setting(
    'MQTT',
    kinds.ackTemplate,
    DEFAULT_TOPICS.acks,
    'Topic of the device acks. {device_id} is replaced',
  ),
  MQTT_DEADLETTER_TOPIC: setting(
    'MQTT',
    kinds.topic,
    DEFAULT_TOPICS.deadLetter,
    'Topic on which dead letters are published',
  ),
  ACK_QOS: setting(
    'MQTT',
    kinds.qos,
    '0',
    'QoS of device acks. 0: a device that missed one sends again and gets duplicate. 1: the broker keeps acks for devices that are asleep, and without end for a device that never takes them (docs/compose.md)',
  ),
  MQTT_SESSION_EXPIRY: setting(
    'MQTT',
    kinds.duration('0s', '3650d'),
    '30d',
    'How long the broker keeps the session, and what is queued in it, while no ingester is connected (MQTT 5)',
  ),
  MQTT_KEEP_ALIVE: setting(
    'MQTT',
    kinds.duration('1s', '1h'),
    '4s',
    'Silence after which the ingester pings the broker. A dead connection is noticed within twice this time',
  ),

  MQTT_PUBLIC_URL: optional(
    'Accounts',
    kinds.brokerUrl,
    'The broker as devices reach it, for the snippets of qs device. Without it: MQTT_URL, or the address of this machine in the network',
  ),
  INGESTER_USERNAME: setting(
    'Accounts',
    kinds.text,
    'ingester',
    'Account that qs provision creates for the ingester at the broker',
  ),
  INGESTER_PASSWORD: optional('Accounts', kinds.text, 'Password of that user', true),

  DATABASE_URL: optional(
    'Database',
    kinds.url('postgres', 'postgresql'),
    'PostgreSQL 15 or newer. Without it: the embedded PostgreSQL in QS_DATA_DIR',
    true,
  ),
  DATABASE_WRITERS: setting(
    'Database',
    kinds.integer(1, 16),
    '2',
    'Connections that insert. More than two help only if PostgreSQL has cores to spare',
  ),
  DATABASE_TIMEOUT: setting(
    'Database',
    kinds.duration('1s', '1h'),
    '8s',
    'A connection whose statement takes longer counts as dead and is replaced. The time doubles after each replacement, up to 2 minutes',
  ),

  DEVICE_TIMEZONE: setting(
    'Device time',
    kinds.timeZone,
    'America/Los_Angeles',
    'Time zone of device times without offset. devices.time_zone overrides it for one device',
  ),
  DEVICE_CLOCK_MAX_PAST: setting(
    'Device time',
    kinds.duration('0s', '100000d'),
    '90d',
    'A device time further back is not used as event time',
  ),
  DEVICE_CLOCK_MAX_FUTURE: setting(
    'Device time',
    kinds.duration('0s', '100000d'),
    '1h',
    'A device time further ahead is not used as event time',
  ),

  EVENT_ID_RULE: setting(
    'Event ids',
    kinds.eventIdRule,
    'any',
    'device: an event_id has to begin with the id of its device and a hyphen, so that no device can use the ids of another one whose device id does not begin with its own and a hyphen',
  ),

  LIMIT_MESSAGE_BYTES: setting('Limits', kinds.size, bytes(DEFAULT_LIMITS.messageBytes), 'Largest message'),
  LIMIT_ARRAY_EVENTS: setting(
    'Limits',
    kinds.integer(1, 100_000),
    String(DEFAULT_LIMITS.arrayEvents),
    'Most events in one array',
  ),
  LIMIT_ID_BYTES: setting(
    'Limits',
    kinds.integer(1, 512),
    String(DEFAULT_LIMITS.idBytes),
    'Longest event_id, device_id and event_type',
  ),
  LIMIT_UNIT_BYTES: setting(
    'Limits',
    kinds.integer(1, 512),
    String(DEFAULT_LIMITS.unitBytes),
    'Longest unit',
  ),
  LIMIT_TS_DEVICE_BYTES: setting(
    'Limits',
    kinds.integer(32, 512),
    String(DEFAULT_LIMITS.tsDeviceBytes),
    'Longest ts_device. An event with a longer one is stored without device time and with the beginning of ts_device in ts_device_raw',
  ),
  LIMIT_VALUE_TEXT_BYTES: setting(
    'Limits',
    kinds.size,
    bytes(DEFAULT_LIMITS.valueTextBytes),
    'Longest text as a value',
  ),
  LIMIT_META_BYTES: setting(
    'Limits',
    kinds.size,
    bytes(DEFAULT_LIMITS.metaBytes),
    'Largest meta, unknown fields included',
  ),
  LIMIT_META_DEPTH: setting(
    'Limits',
    kinds.integer(1, 1000),
    String(DEFAULT_LIMITS.metaDepth),
    'Deepest meta',
  ),
  LIMIT_EVENT_TYPES: setting(
    'Limits',
    kinds.integer(1, 1_000_000),
    '1000',
    'Event types of one device; events of further types are rejected',
  ),

  DEVICE_MESSAGES_PER_SECOND: setting(
    'Budgets',
    kinds.integer(1, 1_000_000),
    '2000',
    'Messages that one device may send in a second. If a device exceeds a budget, the embedded broker reads its connection more slowly and an alarm names it. With another broker there is only the alarm',
  ),
  DEVICE_BYTES_PER_SECOND: setting(
    'Budgets',
    kinds.size,
    '2MiB',
    'Bytes of payload that one device may send in a second',
  ),
  DEVICE_EVENTS_PER_SECOND: setting(
    'Budgets',
    kinds.integer(1, 10_000_000),
    '10000',
    'Events that one device may send in a second',
  ),
  DEVICE_REJECTIONS_PER_SECOND: setting(
    'Budgets',
    kinds.integer(1, 10_000_000),
    '500',
    'Rejected events that one device may send in a second',
  ),

  DEAD_LETTER_RATE: setting(
    'Dead letters',
    kinds.integer(1, 1_000_000),
    '1000',
    'Dead letters of one device that are kept per minute; further ones are only counted',
  ),
  DEAD_LETTER_BYTES: setting('Dead letters', kinds.size, '4MiB', 'The same in bytes of payload'),

  IN_FLIGHT_MESSAGES: setting(
    'Memory',
    kinds.integer(1, 60_000),
    '1000',
    'Messages received and not yet committed. At this number the ingester stops reading from the broker',
  ),
  IN_FLIGHT_BYTES: setting('Memory', kinds.size, '16MiB', 'The same in bytes of payload'),
  BATCH_BYTES: setting('Memory', kinds.size, '1MiB', 'Most bytes of payload in one transaction'),

  HTTP_HOST: setting(
    'HTTP',
    kinds.text,
    '127.0.0.1',
    'Address of the console, /healthz, /readyz and /metrics. On any address but loopback the console asks for a login',
  ),
  HTTP_PORT: setting('HTTP', kinds.port, '8080', 'Port of the same'),
  HTTP_TRUSTED_PROXIES: optional(
    'HTTP',
    kinds.networks,
    'Addresses or networks of the proxies whose X-Forwarded-… headers are trusted, separated by commas: 10.0.0.2, 172.16.0.0/12. Needs CONSOLE_OPERATOR_PASSWORD or CONSOLE_VIEWER_PASSWORD',
  ),
  HTTP_PUBLIC_HOSTS: optional(
    'HTTP',
    kinds.hostNames,
    'Host names under which browsers open the console, separated by commas: telemetry.example.org. IP addresses, names without a dot and names that end with .local, .home.arpa or .internal need no entry',
  ),
  CONSOLE_OPERATOR_PASSWORD: optional(
    'Console',
    kinds.password,
    'Password of operator, the user of the console who may change things',
    true,
  ),
  CONSOLE_VIEWER_PASSWORD: optional(
    'Console',
    kinds.password,
    'Password of viewer, the user of the console who may only read',
    true,
  ),
  CONSOLE_DATABASE_URL: optional(
    'Console',
    kinds.url('postgres', 'postgresql'),
    'The same database for the console, with a role of its own (qs_console). Without it: DATABASE_URL',
    true,
  ),
  CONSOLE_READ_DATABASE_URL: optional(
    'Console',
    kinds.url('postgres', 'postgresql'),
    'A replica for charts and lists. Without it: CONSOLE_DATABASE_URL',
    true,
  ),
  CONSOLE_MQTT_USERNAME: optional(
    'Console',
    kinds.text,
    'Account at the broker with which the console creates accounts for devices: the operator. Without it: MQTT_USERNAME',
  ),
  CONSOLE_MQTT_PASSWORD: optional('Console', kinds.text, 'Password of that user', true),
  CONSOLE_QUERY_TIMEOUT: setting(
    'Console',
    kinds.duration('100ms', '10m'),
    '10s',
    'A query of the console that takes PostgreSQL longer is cancelled',
  ),
  CONSOLE_MEMORY: setting(
    'Console',
    kinds.sizeFrom('64MiB'),
    '128MiB',
    'JavaScript heap of the console, which is a process of its own. A page that needs more gets 503, the console starts again, and the ingest goes on',
  ),

  QS_DATA_DIR: setting('Embedded', kinds.text, './data', 'Where qs up keeps PostgreSQL and its password'),
  MQTT_PORT: setting('Embedded', kinds.port, '1883', 'Port of the embedded broker'),
  MQTT_WS_PORT: setting('Embedded', kinds.port, '9001', 'Its port for MQTT over WebSocket'),
  MQTT_MAX_CONNECTIONS: setting(
    'Embedded',
    kinds.integer(1, 1_000_000),
    '10000',
    'Most connections to the embedded broker, logged in or not. The process needs as many open files',
  ),
  MQTT_MAX_CONNECTIONS_PER_ADDRESS: setting(
    'Embedded',
    kinds.integer(1, 1_000_000),
    '1000',
    'Most connections from one IP address. Raise it if more boards share one address, behind a NAT or a TLS proxy',
  ),
  MQTT_MAX_SESSIONS_PER_ACCOUNT: setting(
    'Embedded',
    kinds.integer(1, 1_000_000),
    '1000',
    'Most lasting sessions (client ids with clean session off, or MQTT 5 session expiry) of one account. The operator, and everybody where there is no password, is one account: raise it where more boards than that share it',
  ),
  POSTGRES_PORT: setting('Embedded', kinds.port, '5433', 'Port of the embedded PostgreSQL'),

  LOG_LEVEL: setting('Log', kinds.logLevel, 'info', 'Least level that is logged'),
} as const

export type SettingName = keyof typeof SETTINGS

type ValueOf<S> = S extends Setting<infer T> ? (S extends { default: null } ? T | null : T) : never

/** Every setting, parsed. */
export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> }
