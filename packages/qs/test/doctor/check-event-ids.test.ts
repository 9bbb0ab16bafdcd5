import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { withClient } from '../../src/database/open-client.ts'
import { checkDatabase } from '../../src/doctor/check-database.ts'
import type { Finding } from '../../src/doctor/finding.ts'

test('with EVENT_ID_RULE=device the doctor names devices that share event ids', async (t) => {
  const databaseUrl = await migratedDatabase(t)
  const add = (...ids: readonly string[]) =>
    withClient(databaseUrl, (database) =>
      database.query('insert into devices select id, now(), now() from unnest($1::text[]) id', [ids]),
    )
  const look = async (rule: string) => {
    const found: Finding[] = []
    for await (const finding of checkDatabase(databaseUrl, configOf({ EVENT_ID_RULE: rule })))
      if (finding.name === 'event ids') found.push(finding)
    return found.map(({ status, detail }) => [status, detail])
  }
  await add('kitchen-1', 'kitchen-2')
  assert.equal((await look('device'))[0]?.[0], 'ok')
  await add('kitchen', 'kitchen-1-door')
  assert.deepEqual(await look('device'), [
    [
      'warning',
      'these devices share event ids: kitchen and kitchen-1, kitchen and kitchen-1-door, kitchen-1 and kitchen-1-door and 1 more',
    ],
  ])
  assert.deepEqual(await look('any'), [])
})
