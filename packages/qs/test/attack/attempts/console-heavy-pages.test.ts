import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { configOf, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { accountTopics } from '../../../src/accounts/operator-login.ts'
import { consoleHeavyPages } from '../../../src/attack/attempts/console-heavy-pages.ts'
import { ConsoleTarget } from '../../../src/attack/console-target.ts'
import { setUp } from '../../../src/attack/set-up.ts'
import { withClient } from '../../../src/database/open-client.ts'

type Answer = (path: string, response: ServerResponse) => void

/** A fake of a healthy console; `answer` overrides some answers. */
async function startConsole(t: TestContext, answer: Answer): Promise<ConsoleTarget> {
  const server = createServer(({ url = '' }, response) => {
    answer(url, response)
    if (!response.writableEnded && !response.destroyed) response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const target = await ConsoleTarget.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  assert.ok(target)
  return target
}

const refuse =
  (path: string): Answer =>
  (url, response) => {
    if (url.startsWith(path)) response.statusCode = 503
  }

/** The head and half of a body of 100 KB. */
const breakOff: Answer = (url, response) => {
  if (!url.startsWith('/api/events')) return
  response.write(`["${'x'.repeat(100_000)}`, () => response.destroy())
  response.end = () => response
}

test('console-heavy-pages requires every page to be complete, and the overview afterwards', {
  skip: mosquittoMissing,
}, async (t) => {
  const { url } = await startMosquitto(t)
  const { databaseUrl } = await startPipeline(t, url)
  const config = configOf()
  const operator = { url, ca: null, username: null, password: null }
  const target = await setUp({ operator, topics: accountTopics(config), maxWaitMs: 5_000 })
  try {
    await withClient(databaseUrl, async (database) => {
      const verdictOf = async (answer: Answer) => {
        const stranger = await startConsole(t, answer)
        const access = { stranger, user: stranger, isOpen: true }
        return consoleHeavyPages.run({ ...target, config, database, console: access })
      }
      assert.equal((await verdictOf(() => {})).kind, 'held')
      for (const answer of [refuse('/api/events'), refuse('/api/overview'), refuse('/readyz'), breakOff])
        assert.equal((await verdictOf(answer)).kind, 'fell')
    })
  } finally {
    await target.remove()
  }
})
