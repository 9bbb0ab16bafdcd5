import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import type { Client, PublishPacket } from 'aedes'
import type { Access } from '../../../src/embedded/broker/access.ts'
import { ClientComplaints } from '../../../src/embedded/broker/client-complaints.ts'
import { authorizePublish } from '../../../src/embedded/broker/refused-publish.ts'

test('the broker reports for each message whether its client may publish it', () => {
  const published: (readonly [topic: string, isAllowed: boolean, bytes: number])[] = []
  const authorize = authorizePublish({
    access: { mayPublish: (_client: Client, topic: string) => topic === 'mine' } as unknown as Access,
    complaints: new ClientComplaints(silentLog().log),
    onPublish: (_client, { topic, isAllowed, payload }) => {
      published.push([topic, isAllowed, payload.length])
    },
    detached: (payload) => payload,
  })
  const client = { id: 'board', conn: {} } as unknown as Client
  for (const topic of ['mine', 'qs/v1/victim/events']) {
    const packet = { topic, payload: Buffer.alloc(9), retain: false } as unknown as PublishPacket
    authorize?.(client, packet, (error) => assert.equal(error, null))
  }
  assert.deepEqual(published, [
    ['mine', true, 9],
    ['qs/v1/victim/events', false, 9],
  ])
})
