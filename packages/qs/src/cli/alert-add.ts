import type { Command } from 'commander'
import { DEFAULT_RULE, isRuleKind, RULE_KINDS, type Rule, TEMPLATES } from '../alerts/rule.ts'
import { ruleText } from '../alerts/rule-text.ts'
import { listRules, putRule } from '../alerts/rules.ts'
import { duration, durationOr, number } from '../config/kinds.ts'
import { QsError } from '../errors/qs-error.ts'
import { parseWith } from './parse-option.ts'
import { withDatabase } from './with-database.ts'

interface Options {
  readonly devices?: string
  readonly types?: string
  readonly rooms?: string
  readonly unit?: string
  readonly above?: number
  readonly below?: number
  readonly back?: number
  readonly for?: number
  readonly remind?: number | null
  readonly urgent?: true
  readonly channel?: readonly string[]
  readonly replace?: true
  readonly json?: true
}

const limit = parseWith(number(-1e300, 1e300))
const table = (rows: readonly (readonly [string, string])[]) =>
  rows.map(([name, about]) => `  ${name.padEnd(18)} ${about}`).join('\n')

export function registerAlertAdd(alert: Command): void {
  alert
    .command('add')
    .description('add a rule')
    .argument('<name>', 'lower-case letters, digits, - and _')
    .argument('<kind>', 'a kind or a template of the lists below')
    .option('--devices <pattern>', 'ids of devices: * for any characters, ? for one')
    .option('--types <pattern>', 'event types, likewise')
    .option('--rooms <pattern>', 'rooms, likewise')
    .option('--unit <unit>', 'only readings with this unit')
    .option('--above <number>', 'value: fires above it; clock: seconds; dead-letters and gaps: events', limit)
    .option('--below <number>', 'value: fires below it; disk: percent that are free', limit)
    .option(
      '--back <number>',
      'hysteresis: how far back inside the limit ends it',
      parseWith(number(0, 1e300)),
    )
    .option('--for <time>', 'how long it must last, such as 10m', parseWith(duration('0s', '365d')))
    .option(
      '--remind <time>',
      'tell again while it lasts; never turns it off (default: 1d)',
      parseWith(durationOr('never', '1m', '365d')),
    )
    .option('--urgent', 'tell also in the quiet hours of a channel')
    .option('--channel <name...>', 'channels to tell (default: all)')
    .option('--replace', 'change the rule of that name: options that are not given stay as they are')
    .option('--json', 'print the rule')
    .addHelpText(
      'after',
      `
Kinds
${table(Object.entries(RULE_KINDS))}

Templates
${table(Object.entries(TEMPLATES).map(([name, rule]) => [name, ruleText({ ...DEFAULT_RULE, ...rule, name })]))}

Examples
  qs alert add freezer value --devices 'freezer-*' --types temp --above -15 --back 2 --for 10m --urgent
  qs alert add battery low-battery
  qs alert add cellar series-silent --rooms Cellar
  qs alert add nothing-ingested nothing-ingested --for 5m --replace`,
    )
    .action(async (name: string, kind: string, options: Options) => {
      const rule = await withDatabase(async (ask) => {
        const old = options.replace && (await listRules(ask)).find((each) => each.name === name)
        const made = ruleOf(name, kind, { options, base: old || null })
        await putRule(ask, made, options.replace !== true)
        return made
      })
      console.log(options.json ? JSON.stringify(rule, null, 2) : `${name}: ${ruleText(rule)}`)
    })
}

function ruleOf(
  name: string,
  kind: string,
  { options, base }: { readonly options: Options; readonly base: Rule | null },
): Rule {
  const template = Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined
  const known = template?.kind ?? (isRuleKind(kind) ? kind : null)
  if (known === null)
    throw new QsError(
      'WRONG_ALERT',
      `There is no kind ${kind}: ${[...Object.keys(RULE_KINDS), ...Object.keys(TEMPLATES)].join(', ')}`,
    )
  const { devices, types, rooms, unit, above, below, back, for: forMs, remind, urgent, channel } = options
  const given = { devices, types, rooms, unit, above, below, back, urgent, channels: channel }
  return {
    ...DEFAULT_RULE,
    ...(base?.kind === known && base),
    ...template,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(forMs !== undefined && { forSeconds: forMs / 1000 }),
    ...(remind !== undefined && { remindSeconds: remind === null ? null : remind / 1000 }),
    ...{ name, kind: known },
  }
}
