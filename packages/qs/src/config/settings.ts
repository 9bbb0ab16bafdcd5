import { DEFAULT_LIMITS, DEFAULT_TOPICS } from '@qs-telemetry/protocol'
import { DEFAULT_IN_FLIGHT } from './default-in-flight.ts'
import type { Kind } from './kinds.ts'
import * as kinds from './kinds.ts'

/** One setting: the source for validation, `qs config`, .env.example and docs/reference/settings.md. */
export interface Setting<T> {
  readonly group: string
  readonly kind: Kind<T>
  /** The text as in .env; null if there is no default. */
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
    kinds.brokerNodes,
    'URL of the broker; several nodes of a cluster, separated by commas, are tried in turn (mqtt://a:1883,b:1883). If unset, the embedded broker on MQTT_PORT of this machine. MQTT 5, with a fallback to 3.1.1',
  ),
  MQTT_CLIENT_ID: setting(
    'MQTT',
    kinds.text,
    'qs-ingester',
    'Client id of the durable session. Each ingester needs its own, and it must not change',
  ),
  MQTT_USERNAME: optional('MQTT', kinds.text, 'User name for the broker'),
  MQTT_PASSWORD: optional('MQTT', kinds.text, 'Password for the broker', true),
  MQTT_CA_FILE: optional(
    'MQTT',
    kinds.text,
    'Certificate authority (PEM) for mqtts, if it is not a public one',
  ),
  MQTT_EVENTS_TOPIC: setting(
    'MQTT',
    kinds.eventTopic,
    DEFAULT_TOPICS.events,
    'Topic filter for events. Its single + stands for the device id; $share/group/… shares the load among ingesters',
  ),
  ACK_TEMPLATE: setting(
    'MQTT',
    kinds.ackTemplate,
    DEFAULT_TOPICS.acks,
    'Topic of device acks. {device_id} is replaced with the device id',
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
    'QoS of device acks. 0: a device that missed its ack sends again and gets duplicate. 1: the broker queues acks for sleeping devices, without limit for a device that never takes them (docs/compose.md)',
  ),
  MQTT_SESSION_EXPIRY: setting(
    'MQTT',
    kinds.duration('0s', '3650d'),
    '24d',
    'How long the broker keeps the session and its queue while the ingester is not connected (MQTT 5). Some brokers, Artemis among them, lose the session at once if this is more than 24 days',
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
    'Broker URL for devices, used in the snippets of qs device. If unset, the first of MQTT_URL or the network address of this machine',
  ),
  INGESTER_USERNAME: setting(
    'Accounts',
    kinds.text,
    'ingester',
    'Broker account that qs provision creates for the ingester',
  ),
  INGESTER_PASSWORD: optional('Accounts', kinds.text, 'Password of INGESTER_USERNAME', true),

  DATABASE_URL: optional(
    'Database',
    kinds.url('postgres', 'postgresql'),
    'PostgreSQL 15 or newer. If unset, the embedded PostgreSQL in QS_DATA_DIR',
    true,
  ),
  DATABASE_WRITERS: setting(
    'Database',
    kinds.integer(1, 16),
    '2',
    'Connections that insert events. More than two help only if PostgreSQL has cores to spare',
  ),
  DATABASE_TIMEOUT: setting(
    'Database',
    kinds.duration('1s', '1h'),
    '8s',
    'Longest time for a statement of the ingester. After it, the connection counts as dead and is replaced. The time doubles with each replacement, up to 2 minutes',
  ),

  DEVICE_TIMEZONE: setting(
    'Device time',
    kinds.timeZone,
    'America/Los_Angeles',
    'Time zone of device times without an offset. devices.time_zone overrides it for a single device',
  ),
  DEVICE_CLOCK_MAX_PAST: setting(
    'Device time',
    kinds.duration('0s', '100000d'),
    '90d',
    'A device time further in the past is not used as event time',
  ),
  DEVICE_CLOCK_MAX_FUTURE: setting(
    'Device time',
    kinds.duration('0s', '100000d'),
    '1h',
    'A device time further in the future is not used as event time',
  ),

  EVENT_ID_RULE: setting(
    'Event ids',
    kinds.eventIdRule,
    'any',
    'device: an event_id must begin with its device id and a hyphen, so that no device can use the event ids of another (unless the other device id begins with its own id and a hyphen)',
  ),

  LIMIT_MESSAGE_BYTES: setting(
    'Limits',
    kinds.size,
    bytes(DEFAULT_LIMITS.messageBytes),
    'Maximum size of a message',
  ),
  LIMIT_ARRAY_EVENTS: setting(
    'Limits',
    kinds.integer(1, 100_000),
    String(DEFAULT_LIMITS.arrayEvents),
    'Maximum number of events in one array',
  ),
  LIMIT_ID_BYTES: setting(
    'Limits',
    kinds.integer(1, 512),
    String(DEFAULT_LIMITS.idBytes),
    'Maximum length of event_id, device_id and event_type, in bytes',
  ),
  LIMIT_UNIT_BYTES: setting(
    'Limits',
    kinds.integer(1, 512),
    String(DEFAULT_LIMITS.unitBytes),
    'Maximum length of unit, in bytes',
  ),
  LIMIT_TS_DEVICE_BYTES: setting(
    'Limits',
    kinds.integer(32, 512),
    String(DEFAULT_LIMITS.tsDeviceBytes),
    'Maximum length of ts_device, in bytes. An event with a longer one is stored without a device time; ts_device_raw keeps the beginning',
  ),
  LIMIT_VALUE_TEXT_BYTES: setting(
    'Limits',
    kinds.size,
    bytes(DEFAULT_LIMITS.valueTextBytes),
    'Maximum size of a text value',
  ),
  LIMIT_META_BYTES: setting(
    'Limits',
    kinds.size,
    bytes(DEFAULT_LIMITS.metaBytes),
    'Maximum size of meta, including unknown fields',
  ),
  LIMIT_META_DEPTH: setting(
    'Limits',
    kinds.integer(1, 1000),
    String(DEFAULT_LIMITS.metaDepth),
    'Maximum nesting depth of meta',
  ),
  LIMIT_EVENT_TYPES: setting(
    'Limits',
    kinds.integer(1, 1_000_000),
    '1000',
    'Maximum number of event types per device; events of further types are rejected',
  ),

  DEVICE_MESSAGES_PER_SECOND: setting(
    'Budgets',
    kinds.integer(1, 1_000_000),
    '2000',
    'Messages that one device may send per second. If a device exceeds a budget, the embedded broker reads its connection more slowly and an alarm names it. With another broker there is only the alarm',
  ),
  DEVICE_BYTES_PER_SECOND: setting(
    'Budgets',
    kinds.size,
    '2MiB',
    'Bytes that one device may send per second. qs up counts whole packets; with another broker, payloads count',
  ),
  DEVICE_EVENTS_PER_SECOND: setting(
    'Budgets',
    kinds.integer(1, 10_000_000),
    '10000',
    'Events that one device may send per second',
  ),
  DEVICE_REJECTIONS_PER_SECOND: setting(
    'Budgets',
    kinds.integer(1, 10_000_000),
    '500',
    'Rejected events that one device may send per second',
  ),

  SEAL_AFTER: setting(
    'Years',
    kinds.durationOr('never', '3d', '36500d'),
    '30d',
    'Age at which events are packed into event_segments, where they take about a tenth of the space and stay readable',
  ),
  KEEP_EVENTS: optional(
    'Years',
    kinds.keepTime('1d', '36500d'),
    'Age at which events are deleted, such as 730d, or forever. qs keep shows what would go, and keeps some devices or types for another time. If unset, what the database holds stays, at first forever',
  ),
  KEEP_HOURS: optional(
    'Years',
    kinds.keepTime('1d', '36500d'),
    'Age at which numbers by the hour, from which long charts are drawn, are deleted once their events are. If unset, what the database holds stays, at first forever',
  ),
  KEEP_FREE: optional(
    'Years',
    kinds.sizeOrOff('64MiB'),
    'Last resort for a full disk, such as 2GiB, or off. With less free on the disk of the database, which has to be on the same machine, the oldest sealed events are deleted for those that are sealed. If unset, what the database holds stays, at first off',
  ),

  DEAD_LETTER_RATE: setting(
    'Dead letters',
    kinds.integer(1, 1_000_000),
    '1000',
    'Dead letters kept per device and minute; further ones are only counted',
  ),
  DEAD_LETTER_BYTES: setting(
    'Dead letters',
    kinds.size,
    '4MiB',
    'Payload bytes of dead letters kept per device and minute; further ones are only counted',
  ),

  IN_FLIGHT_MESSAGES: optional(
    'Memory',
    kinds.integer(1, 60_000),
    `Maximum number of messages received and not yet committed; at this number the ingester pauses reading from the broker. If unset, ${DEFAULT_IN_FLIGHT.ingest}. With qs up ${DEFAULT_IN_FLIGHT.up}, and each device may have ten more, up to twice the number`,
  ),
  IN_FLIGHT_BYTES: setting('Memory', kinds.size, '16MiB', 'The same limit in payload bytes'),
  BATCH_BYTES: setting('Memory', kinds.size, '1MiB', 'Maximum payload bytes in one transaction'),

  HTTP_HOST: setting(
    'HTTP',
    kinds.text,
    '127.0.0.1',
    'Address of the console, /healthz, /readyz and /metrics. On any address but loopback the console requires a login',
  ),
  HTTP_PORT: setting('HTTP', kinds.port, '8080', 'Port of the console, /healthz, /readyz and /metrics'),
  HTTP_TRUSTED_PROXIES: optional(
    'HTTP',
    kinds.networks,
    'Addresses or networks of proxies whose X-Forwarded-… headers are trusted, separated by commas: 10.0.0.2, 172.16.0.0/12. Requires CONSOLE_OPERATOR_PASSWORD or CONSOLE_VIEWER_PASSWORD',
  ),
  HTTP_PUBLIC_HOSTS: optional(
    'HTTP',
    kinds.hostNames,
    'Host names under which browsers open the console, separated by commas: telemetry.example.org. IP addresses, names without a dot and names ending in .local, .home.arpa or .internal need no entry',
  ),
  CONSOLE_OPERATOR_PASSWORD: optional(
    'Console',
    kinds.password,
    'Password of operator, the console user who may make changes',
    true,
  ),
  CONSOLE_VIEWER_PASSWORD: optional(
    'Console',
    kinds.password,
    'Password of viewer, the console user who may only read',
    true,
  ),
  CONSOLE_DATABASE_URL: optional(
    'Console',
    kinds.url('postgres', 'postgresql'),
    'URL of the same database for the console, with its own role (qs_console). If unset, DATABASE_URL',
    true,
  ),
  CONSOLE_READ_DATABASE_URL: optional(
    'Console',
    kinds.url('postgres', 'postgresql'),
    'URL of a replica for charts and lists. If unset, CONSOLE_DATABASE_URL',
    true,
  ),
  CONSOLE_MQTT_USERNAME: optional(
    'Console',
    kinds.text,
    'Broker account with which the console creates device accounts: the operator. If unset, MQTT_USERNAME',
  ),
  CONSOLE_MQTT_PASSWORD: optional('Console', kinds.text, 'Password of CONSOLE_MQTT_USERNAME', true),
  CONSOLE_QUERY_TIMEOUT: setting(
    'Console',
    kinds.duration('100ms', '10m'),
    '10s',
    'Longest time for a console query in PostgreSQL; after it, the query is cancelled',
  ),
  CONSOLE_MEMORY: setting(
    'Console',
    kinds.sizeFrom('64MiB'),
    '128MiB',
    'JavaScript heap of the console process. If a page needs more, it gets 503 and the console restarts; the ingester is not affected',
  ),

  BACKUP_EVERY: optional(
    'Backup',
    kinds.duration('10m', '366d'),
    'How often qs up and qs ingest make a backup, one process at a time: 24h. If unset, never',
  ),
  BACKUP_DIR: setting(
    'Backup',
    kinds.text,
    './backups',
    'Folder of these backups. A disk of another machine survives this one',
  ),
  BACKUP_KEEP: setting(
    'Backup',
    kinds.integer(1, 100_000),
    '14',
    'How many backups stay in BACKUP_DIR; older ones are removed after a new one has been verified',
  ),
  BACKUP_DATABASE_URL: optional(
    'Backup',
    kinds.url('postgres', 'postgresql'),
    'URL of the same database with the role of its owner, where DATABASE_URL has another role',
    true,
  ),

  QS_DATA_DIR: setting(
    'Embedded',
    kinds.text,
    './data',
    'Directory where qs up keeps PostgreSQL and its passwords',
  ),
  MQTT_PORT: setting('Embedded', kinds.port, '1883', 'Port of the embedded broker'),
  MQTT_WS_PORT: setting('Embedded', kinds.port, '9001', 'WebSocket port of the embedded broker'),
  MQTT_TLS_PORT: setting(
    'Embedded',
    kinds.port,
    '8883',
    'TLS port of the embedded broker, used if there is a certificate: that of MQTT_TLS_CERT_FILE, or of qs certificate',
  ),
  MQTT_WSS_PORT: setting(
    'Embedded',
    kinds.port,
    '8884',
    'Port of the embedded broker for WebSocket over TLS, used if there is a certificate',
  ),
  MQTT_TLS_CERT_FILE: optional(
    'Embedded',
    kinds.text,
    'Certificate of the embedded broker (PEM, that of the server first, then intermediate ones). If unset, the one of qs certificate in QS_DATA_DIR. It is read again when it changes',
  ),
  MQTT_TLS_KEY_FILE: optional('Embedded', kinds.text, 'Private key of MQTT_TLS_CERT_FILE (PEM)'),
  MQTT_MAX_CONNECTIONS: setting(
    'Embedded',
    kinds.integer(1, 1_000_000),
    '10000',
    'Maximum connections to the embedded broker, authenticated or not. The process needs as many open files',
  ),
  MQTT_MAX_CONNECTIONS_PER_ADDRESS: setting(
    'Embedded',
    kinds.integer(1, 1_000_000),
    '1000',
    'Maximum connections from one IP address. Raise it if more boards share one address, behind a NAT or a TLS proxy',
  ),
  MQTT_MAX_SESSIONS_PER_ACCOUNT: setting(
    'Embedded',
    kinds.integer(1, 1_000_000),
    '1000',
    'Maximum durable sessions (client ids with clean session off, or with MQTT 5 session expiry) per account. All operator clients share one account, as do all clients if there are no passwords: raise it if more boards share one',
  ),
  POSTGRES_PORT: setting('Embedded', kinds.port, '5433', 'Port of the embedded PostgreSQL'),

  LOG_LEVEL: setting('Log', kinds.logLevel, 'info', 'Lowest level that is logged'),
} as const

export type SettingName = keyof typeof SETTINGS

type ValueOf<S> = S extends Setting<infer T> ? (S extends { default: null } ? T | null : T) : never

/** Every setting, parsed. */
export type Config = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> }
