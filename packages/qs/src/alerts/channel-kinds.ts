import { ALERTS_TOPIC } from '../accounts/alert-topics.ts'
import { brokerUrl, type Kind, topic, url } from '../config/kinds.ts'
import { QsError } from '../errors/qs-error.ts'

interface Field {
  readonly about: string
  /** What people may see of it: all, the host, or that it is set. */
  readonly shows: 'all' | 'host' | 'nothing'
  readonly isRequired?: true
  readonly check?: (value: string) => void
}

/** Fields of the kinds of channels, for the command, the console and the documentation. */
export const CHANNEL_KINDS = {
  webhook: {
    url: { about: 'where to POST', shows: 'host', isRequired: true, check: isHttp },
    template: {
      about: 'the body, with {{title}}, {{text}} and {{change}}; default: JSON with all fields',
      shows: 'all',
    },
    content_type: { about: 'default application/json; {{…}} are then escaped for JSON', shows: 'all' },
    authorization: { about: 'header of that name', shows: 'nothing' },
  },
  ntfy: {
    topic: {
      about: 'who knows it can read it, so choose one that nobody guesses',
      shows: 'nothing',
      isRequired: true,
    },
    server: { about: 'default https://ntfy.sh', shows: 'all', check: isHttp },
    token: { about: 'access token', shows: 'nothing' },
  },
  mail: {
    server: { about: 'smtp://host:587 or smtps://host:465', shows: 'all', isRequired: true, check: isSmtp },
    from: { about: 'address of the sender', shows: 'all', isRequired: true },
    to: { about: 'addresses, separated by commas', shows: 'all', isRequired: true },
    user: { about: 'login', shows: 'all' },
    password: { about: 'of that login', shows: 'nothing' },
  },
  mqtt: {
    topic: { about: `retained state; default ${ALERTS_TOPIC}`, shows: 'all', check: isTopic },
    discovery: {
      about: 'prefix of Home Assistant, default homeassistant; off: none',
      shows: 'all',
      check: isTopic,
    },
    url: { about: 'mqtt:// or mqtts://; default: the broker of the ingester', shows: 'all', check: isBroker },
    user: { about: 'login; default: that of the ingester', shows: 'all' },
    password: { about: 'of that login', shows: 'nothing' },
    protocol: { about: '5 (default) or 4, for a broker without MQTT 5', shows: 'all' },
  },
  telegram: {
    token: { about: 'of your bot, from @BotFather', shows: 'nothing', isRequired: true },
    chat: { about: 'id of the chat; write to the bot, then see /getUpdates', shows: 'all', isRequired: true },
    server: { about: 'default https://api.telegram.org', shows: 'all', check: isHttp },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>

export type ChannelKind = keyof typeof CHANNEL_KINDS
export type ChannelSettings = Readonly<Record<string, string>>

export function isChannelKind(text: string): text is ChannelKind {
  return Object.hasOwn(CHANNEL_KINDS, text)
}

export function fieldsOf(kind: ChannelKind): Readonly<Record<string, Field>> {
  return CHANNEL_KINDS[kind]
}

/** @throws QsError that names the field, never its value */
export function checkSettings(kind: ChannelKind, settings: ChannelSettings): void {
  const fields = fieldsOf(kind)
  for (const [name, value] of Object.entries(settings)) {
    const field = fields[name]
    if (field === undefined)
      throw new QsError(
        'WRONG_ALERT',
        `A channel of kind ${kind} has no ${name}; it has ${Object.keys(fields).join(', ')}`,
      )
    if (value === '') throw new QsError('WRONG_ALERT', `${name} is empty`)
    field.check?.(value)
  }
  for (const [name, { isRequired }] of Object.entries(fields))
    if (isRequired && settings[name] === undefined)
      throw new QsError('WRONG_ALERT', `A channel of kind ${kind} needs ${name}=…`)
}

/** `server https://ntfy.sh, topic •••`: what people may see. */
export function shownSettings(kind: ChannelKind, settings: ChannelSettings): string {
  return Object.entries(fieldsOf(kind))
    .filter(([name]) => settings[name] !== undefined)
    .map(([name, { shows }]) => `${name} ${shownValue(shows, settings[name] ?? '')}`)
    .join(', ')
}

/** The values that must appear nowhere: neither in a log nor in an error. */
export function secretsOf(kind: ChannelKind, settings: ChannelSettings): readonly string[] {
  const fields = fieldsOf(kind)
  return Object.entries(settings)
    .filter(([name]) => fields[name]?.shows !== 'all')
    .map(([, value]) => value)
}

function shownValue(shows: Field['shows'], value: string): string {
  if (shows === 'nothing') return '•••'
  return shows === 'all' ? value : `${new URL(value).origin}/…`
}

function isHttp(value: string): void {
  const isUrl = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
  if (!isUrl) throw new QsError('WRONG_ALERT', 'A URL of a channel begins with https:// or http://')
  if (new URL(value).username !== '')
    throw new QsError(
      'WRONG_ALERT',
      'A URL of a channel takes no user name or password; a webhook has authorization=… for that',
    )
}

function isSmtp(value: string): void {
  checked(url('smtp', 'smtps'), value)
  if (new URL(value).username !== '')
    throw new QsError(
      'WRONG_ALERT',
      'server takes no user name or password: user=… and password=… are for that',
    )
}

function isBroker(value: string): void {
  checked(brokerUrl, value)
}

function isTopic(value: string): void {
  checked(topic, value)
}

function checked(kind: Kind<string>, value: string): void {
  try {
    kind.parse(value)
  } catch (error) {
    throw new QsError('WRONG_ALERT', `A setting of the channel is wrong: it ${(error as Error).message}`)
  }
}
