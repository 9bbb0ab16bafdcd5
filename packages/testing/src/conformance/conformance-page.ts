import { MQTT_5 } from './mqtt5.ts'
import { MQTT_311 } from './mqtt311.ts'
import { casesOf, type Standard, type Statement, type Statements } from './statement.ts'

export const STANDARDS: readonly { readonly standard: Standard; readonly statements: Statements }[] = [
  { standard: 5, statements: MQTT_5 },
  { standard: 4, statements: MQTT_311 },
]

/** docs/reference/mqtt-conformance.md. */
export function conformancePage(generated: string): string {
  const counts = STANDARDS.map(({ standard, statements }) => {
    const all = Object.values(statements)
    const [met, never, notMet] = (['met', 'does not arise', '**not met**'] as const).map(
      (verdict) => all.filter((statement) => verdictOf(statement) === verdict).length,
    )
    return `| ${nameOf(standard)} | ${all.length} | ${met} | ${never} | ${notMet} |`
  })
  const sections = STANDARDS.map(
    ({ standard, statements }) => `## ${nameOf(standard)}

| statement | what it asks | verdict | shown by |
|---|---|---|---|
${Object.entries(statements)
  .map(([number, statement]) => row(number, statement, standard))
  .join('\n')}`,
  )
  return `# The embedded broker and the normative statements of MQTT

The statements of MQTT 5.0 and 3.1.1 (Appendix B of each) that concern a server, in words of this project, and what the
broker of \`qs up\` does. Statements about clients only are left out. Each one that is met has a test that sends packets to the
running broker: a case of \`packages/qs/test/parity\`, which sends the same bytes to Mosquitto (see
[mqtt-parity.md](mqtt-parity.md)), or the named test. "Does not arise" names the condition that never holds. A test fails if a
statement has no verdict, or no test. ${generated}

| | statements | met | does not arise | not met |
|---|---|---|---|---|
${counts.join('\n')}

${sections.join('\n\n')}`
}

const nameOf = (standard: Standard): string => (standard === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1')

function verdictOf(statement: Statement): 'met' | 'does not arise' | '**not met**' {
  if (typeof statement === 'string' || 'shownBy' in statement) return 'met'
  return 'never' in statement ? 'does not arise' : '**not met**'
}

function row(number: string, statement: Statement, standard: Standard): string {
  const asks = typeof statement === 'string' ? statement : statement.asks
  const why = typeof statement === 'string' ? '' : reasonOf(statement)
  const tests = [...casesOf(number, standard), ...why].join('; ')
  return `| MQTT-${number} | ${asks} | ${verdictOf(statement)} | ${tests.replaceAll('|', '\\|')} |`
}

function reasonOf(statement: Exclude<Statement, string>): readonly string[] {
  if ('shownBy' in statement) return statement.shownBy.map((test) => `\`${test.replace(': ', '`: ')}`)
  return ['never' in statement ? statement.never : statement.notMet]
}
