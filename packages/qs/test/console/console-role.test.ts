import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LetterList, PinnedList, ReplayAnswer } from '@qs-telemetry/protocol/api'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { psqlMissing, runRoles, startLockedCluster, urlOf } from '@qs-telemetry/testing/roles.ts'
import { migrate } from '../../src/database/migrate.ts'

test('with the roles of the composed stack the whole console works', { skip: psqlMissing }, async (t) => {
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  await migrate(urlOf(cluster, 'qs'))
  const settings = { CONSOLE_DATABASE_URL: urlOf(cluster, 'qs_console') }
  const running = await startTestConsole(t, { settings, databaseUrl: urlOf(cluster, 'qs_ingester') })
  const { publish, api } = running
  const event = { schema: 1, event_id: 'a', device_id: 'd', event_type: 't' }
  await publish('d', { ...event, event_id: 'b', value: 1 })
  await publish('d', { ...event, value: [] })
  for (const path of [
    '/api/overview',
    '/api/devices',
    '/api/events',
    '/api/audit',
    '/api/storage',
    '/api/sparklines?device=d',
  ])
    assert.equal((await api(path)).status, 200, path)
  const year = 'from=2026-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'
  for (const path of [
    `/api/series?device=d&type=t&${year}`,
    `/api/devices/d/drift?${year}`,
    `/api/export?format=csv&device=d&type=t&${year}`,
  ])
    assert.equal((await api(path)).status, 200, path)
  const [letter] = (await api<LetterList>('/api/letters')).body.letters
  const repair = json('PUT', { payload: JSON.stringify({ ...event, value: 2 }) })
  assert.equal((await api(`/api/letters/${letter?.id}/repair`, repair)).status, 200)
  const replayed = (await api<ReplayAnswer>('/api/letters/replay', json('POST', { all: true }))).body
  assert.deepEqual(
    replayed.results.map(({ result }) => result),
    ['stored'],
  )
  assert.equal(
    (await api('/api/devices/d', json('PATCH', { label: 'L', room: 'R', notes: 'N', isArchived: false })))
      .status,
    200,
  )
  for (const isPinned of [true, false]) {
    const pin = json('PUT', { deviceId: 'd', eventType: 't', isPinned })
    const { body } = await api<PinnedList>('/api/pinned', pin)
    assert.equal(body.pinned.length, Number(isPinned))
  }
  assert.deepEqual((await api('/api/letters/purge', json('POST', { all: true }))).body, { purged: 1 })
  assert.equal((await api('/api/devices/list', json('POST', { csv: 'e,Label' }))).status, 200)
  const removal = await api('/api/devices/d?confirm=d', { method: 'DELETE' })
  assert.deepEqual(removal.body, { events: 2, account: 'none' })
  // The console's role may not delete other events.
  const refused = await api<{ detail: string }>('/api/simulation', { method: 'DELETE' })
  assert.equal(refused.status, 403)
  assert.match(refused.body.detail, /permission denied for table events/)
})
