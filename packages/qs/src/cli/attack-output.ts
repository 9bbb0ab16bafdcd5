import pc from 'picocolors'
import type { Experience } from '../attack/honest-device.ts'
import type { AttackResult } from '../attack/run-attacks.ts'
import { counted } from '../telemetry/counted.ts'
import type { Verification } from '../verify/verification.ts'

const MARKS = { held: pc.green('held'), fell: pc.red('FELL'), skipped: pc.dim('–') } as const

function slowest({ slowestMs }: Experience): string {
  return Number.isFinite(slowestMs) ? `${Math.round(slowestMs)} ms` : 'never'
}

export function printCalm(calm: Experience): void {
  console.log(
    `${' '.repeat(6)}${pc.bold('without an attack'.padEnd(25))}slowest ack of the honest device: ${slowest(calm)}`,
  )
}

export function printResult({ attack, verdict, experience }: AttackResult): void {
  const gap = ' '.repeat(6 - (verdict.kind === 'skipped' ? 1 : 4))
  console.log(`${MARKS[verdict.kind]}${gap}${pc.bold(attack.name.padEnd(24))} ${attack.about}`)
  const text = verdict.kind === 'skipped' ? verdict.reason : verdict.detail
  console.log(
    `${' '.repeat(31)}${text}${pc.dim(`; slowest ack of the honest device: ${slowest(experience)}`)}`,
  )
  if (verdict.kind === 'fell') console.log(`${' '.repeat(31)}→ ${verdict.advice}`)
}

/** Prints the summary and sets the exit code. */
export function finish(
  results: readonly AttackResult[],
  verification: Verification,
  { calm, json, notRun }: { readonly calm: Experience; readonly json: boolean; readonly notRun: number },
): void {
  const count = (kind: string) => results.filter(({ verdict }) => verdict.kind === kind).length
  if (!verification.ok || count('fell') > 0) process.exitCode = 1
  if (json) {
    const figures = ({ sent, slowestMs }: Experience) => ({
      sent,
      slowest_ms: Number.isFinite(slowestMs) ? Math.round(slowestMs) : null,
    })
    const attacks = results.map(({ attack: { name, about }, verdict, experience }) => ({
      ...{ name, about, verdict },
      ...figures(experience),
    }))
    return console.log(JSON.stringify({ calm: figures(calm), attacks, verification }))
  }
  const { sent, acked, stored, missing, changed } = verification
  console.log(`\nHonest device: ${sent} events sent, ${acked} acked, ${stored} in the database`)
  for (const [what, ids] of Object.entries({ 'acked and missing': missing, changed }))
    if (ids.length > 0) console.log(pc.red(`${ids.length} ${what}: ${ids.slice(0, 5).join(', ')}`))
  if (notRun > 0)
    console.log(
      pc.red(
        `${counted(notRun, 'attack')} not run: the honest device no longer gets acks. See the logs, then restart the stack.`,
      ),
    )
  const text = `${count('held')} held, ${count('fell')} fell, ${count('skipped')} skipped`
  console.log(count('fell') > 0 ? pc.red(text) : pc.green(text))
}
