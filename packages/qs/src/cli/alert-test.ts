import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { listChannels } from '../alerts/channels.ts'
import { startTest, testOutcome } from '../alerts/test-channel.ts'
import { QsError } from '../errors/qs-error.ts'
import { withDatabase } from './with-database.ts'

const [PATIENCE_MS, ASK_EVERY_MS] = [40_000, 300]

export function registerAlertTest(alert: Command): void {
  alert
    .command('test')
    .description('send a test message through a channel, or through all')
    .argument('[channel]')
    .addHelpText('after', '\nThe ingester sends it, as it sends alerts; the command waits for the outcome.')
    .action(async (channel?: string) => {
      const names =
        channel === undefined ? (await withDatabase(listChannels)).map(({ name }) => name) : [channel]
      if (names.length === 0)
        throw new QsError('WRONG_ALERT', 'There is no channel yet: qs alert channel add --help')
      const failed = await withDatabase(async (ask) => {
        const tests = []
        for (const name of names) tests.push({ name, test: await startTest(ask, name) })
        const problems: string[] = []
        const deadline = Date.now() + PATIENCE_MS
        for (const { name, test } of tests) {
          let outcome = await testOutcome(ask, test)
          while (outcome.kind === 'waiting' && Date.now() < deadline) {
            await wait(ASK_EVERY_MS)
            outcome = await testOutcome(ask, test)
          }
          if (outcome.kind === 'sent') console.log(`${name}: sent`)
          else if (outcome.kind === 'failed') problems.push(`${name}: ${outcome.error}`)
          else
            problems.push(
              `${name}: no ingester has sent it within ${PATIENCE_MS / 1000} seconds. Does qs up or qs ingest run?`,
            )
        }
        return problems
      })
      if (failed.length > 0) throw new QsError('CHANNEL_FAILED', failed.join('; '))
    })
}
