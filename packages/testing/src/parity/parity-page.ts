import { PARITY_CASES } from './all-cases.ts'
import { BROKERS, type BrokerName, known, type ParityCase } from './parity-case.ts'

const NAMES: Readonly<Record<BrokerName, string>> = { embedded: 'Embedded', mosquitto: 'Mosquitto 2.0.11' }

/** docs/reference/mqtt-parity.md: what `parity.test.ts` observes on both brokers. */
export function parityPage(generated: string): string {
  const sections = Object.entries(PARITY_CASES).map(
    ([title, cases]) => `## ${title}

| case | clause | MQTT | required | ${BROKERS.map((broker) => NAMES[broker]).join(' | ')} |
|---|---|---|---|---|---|
${cases.flatMap(rows).join('\n')}`,
  )
  const runs = Object.values(PARITY_CASES)
    .flat()
    .reduce((sum, { versions }) => sum + versions.length, 0)
  return `# The two brokers and the standard

${runs} tests send the same bytes to the embedded broker of \`qs up\` and to Mosquitto 2.0.11. ✔: the broker does what the
standard requires. \`packages/qs/test/parity\` runs them in each \`npm test\`, and fails if an answer differs from
this page. ${generated}

\`0 0 0, 0 1 1, 0 1 2\` is the QoS at which messages of QoS 0, 1 and 2 arrive, first for a subscription with QoS 0, then with
QoS 1, then with QoS 2.

${sections.join('\n\n')}

## Deviations

${BROKERS.flatMap(reasons).join('\n')}`
}

function rows(each: ParityCase): readonly string[] {
  const { name, clause, versions, expected } = each
  return versions.map((version) => {
    const answers = BROKERS.map((broker) => {
      const answer = known(each, broker, version)
      return answer === expected ? '✔' : `**${answer}**`
    })
    return `| ${name} | ${clause} | ${version === 5 ? '5' : '3.1.1'} | ${expected} | ${answers.join(' | ')} |`
  })
}

function reasons(broker: BrokerName): readonly string[] {
  const byReason = new Map<string, string[]>()
  for (const { name, deviations } of Object.values(PARITY_CASES).flat()) {
    const why = deviations?.[broker]?.why
    if (why !== undefined) byReason.set(why, [...(byReason.get(why) ?? []), name])
  }
  return [...byReason].map(([why, names]) => `- **${NAMES[broker]}**: ${names.join('; ')}: ${why}.`)
}
