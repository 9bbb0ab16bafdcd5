/** The kinds of rules, and what a rule of each is about. */
export const RULE_KINDS = {
  'device-silent': 'a device sends nothing for longer than its rhythm, or its own setting, allows',
  'series-silent': 'one type of a device stays away while the device goes on sending',
  value: 'a reading is above or below a limit',
  clock: 'the clock of a device is wrong',
  gaps: 'events of a device never came, by the numbers in their ids; for a day',
  'dead-letters': 'more events are rejected than usual',
  'nothing-ingested': 'nothing is stored at all: the network, the broker, or every device',
  disk: 'the disk of the data is almost full, or will be soon',
  service: 'the service itself needs attention: every alarm that /readyz shows, a broken channel included',
} as const

export type RuleKind = keyof typeof RULE_KINDS

export function isRuleKind(text: string): text is RuleKind {
  return Object.hasOwn(RULE_KINDS, text)
}

/** A row of alert_rules; its migration describes the fields. */
export interface Rule {
  readonly name: string
  readonly kind: RuleKind
  readonly devices: string
  readonly types: string
  readonly rooms: string
  readonly unit: string | null
  readonly above: number | null
  readonly below: number | null
  readonly back: number
  readonly forSeconds: number
  readonly remindSeconds: number | null
  readonly urgent: boolean
  readonly channels: readonly string[]
  /** null: not muted; `infinity` is written as the year 9999. */
  readonly mutedUntil: string | null
}

/** What a rule is when nobody says otherwise. */
export const DEFAULT_RULE = {
  ...{ devices: '*', types: '*', rooms: '*', unit: null, above: null, below: null, back: 0, forSeconds: 0 },
  ...{ remindSeconds: 86_400, urgent: false, channels: [], mutedUntil: null },
} as const satisfies Omit<Rule, 'name' | 'kind'>

/** Rules that people often want, by name of the template. */
export const TEMPLATES: Readonly<Record<string, Partial<Rule> & Pick<Rule, 'kind'>>> = {
  'low-battery': { kind: 'value', types: '*batt*', unit: '%', below: 15, back: 5, forSeconds: 600 },
  'low-battery-volts': { kind: 'value', types: '*batt*', unit: 'V', below: 3.3, back: 0.1, forSeconds: 600 },
  frost: { kind: 'value', types: '*temp*', unit: '°C', below: 3, back: 1, forSeconds: 600, urgent: true },
}
