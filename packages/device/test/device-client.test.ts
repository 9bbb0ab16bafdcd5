import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DeviceClient, type DeviceClientOptions, type DeviceWarning } from '../src/index.ts'
import { type FakeIngester, rejected, startFakeIngester } from './support/fake-ingester.ts'
import { type Mosquitto, skipWithoutMosquitto, startMosquitto } from './support/mosquitto.ts'

describe('DeviceClient', { skip: skipWithoutMosquitto(), timeout: 20_000 }, () => {
  let broker: Mosquitto
  let ingester: FakeIngester
  let devices = 0

  before(async () => {
    broker = await startMosquitto()
    ingester = await startFakeIngester(broker.url)
  })
  after(async () => {
    await ingester.stop()
    await broker.stop()
  })

  function open(options: Partial<DeviceClientOptions> = {}) {
    const warnings: DeviceWarning[] = []
    const client = new DeviceClient({
      url: broker.url,
      deviceId: `dev-${++devices}`,
      resendAfterMs: 200,
      reconnectMs: 40,
      onWarning: (warning) => warnings.push(warning),
      ...options,
    })
    client.open()
    return { client, warnings }
  }

  it('resolves with the device ack and fills in schema, device and an ordered id', async () => {
    const { client } = open()
    const acks = await Promise.all([1, 2, 3].map((value) => client.send({ event_type: 'temp', value })))
    const ids = acks.map((ack) => ack.event_id ?? '')
    assert.deepEqual(
      acks.map(({ status }) => status),
      ['stored', 'stored', 'stored'],
    )
    assert.deepEqual(ids, ids.toSorted())
    const event = JSON.parse(ingester.stored.get(ids[0] ?? '') ?? '')
    assert.deepEqual(event, {
      event_type: 'temp',
      value: 1,
      schema: 1,
      event_id: ids[0],
      device_id: client.deviceId,
    })
    assert.deepEqual(await client.close(), { waiting: 0 })
  })

  it('sends arrays of the configured size, and objects for size 1', async () => {
    for (const batchEvents of [100, 1]) {
      const { client } = open({ batchEvents, resendAfterMs: 5_000 })
      const from = ingester.sizes.length
      for (let value = 0; value < 250; value++) void client.send({ event_type: 'temp', value })
      await client.flush()
      const sizes = ingester.sizes.slice(from)
      assert.equal(Math.max(...sizes), batchEvents)
      assert.equal(
        sizes.reduce((sum, each) => sum + each, 0),
        250,
      )
      await client.close()
    }
  })

  it('resends an event without device ack, byte for byte, until it has one', async () => {
    const { client } = open()
    const payloads: string[] = []
    ingester.judge = ({ payload, deviceAck, earlier }) => {
      payloads.push(payload.toString())
      return earlier < 2 ? null : deviceAck
    }
    const ack = await client.send({ event_type: 'temp', value: 20.5 })
    ingester.judge = ({ deviceAck }) => deviceAck
    assert.equal(ack.status, 'stored')
    assert.deepEqual(payloads, Array(3).fill(payloads[0]))
    assert.deepEqual(
      { ...client.counts() },
      { sent: 1, resent: 2, stored: 1, duplicate: 0, rejected: 0, waiting: 0 },
    )
    await client.close()
  })

  it('resends only the part of an array that has no device ack', async () => {
    // Much later than the first device ack, even on a busy machine.
    const { client } = open({ resendAfterMs: 1_000 })
    ingester.judge = ({ deviceAck, earlier }) =>
      earlier === 0 && Array.isArray(deviceAck) ? deviceAck.slice(0, 3) : deviceAck
    const from = ingester.sizes.length
    const acks = await Promise.all(
      Array.from({ length: 5 }, (_, value) => client.send({ event_type: 'temp', value })),
    )
    ingester.judge = ({ deviceAck }) => deviceAck
    assert.deepEqual(ingester.sizes.slice(from), [5, 2])
    assert.deepEqual(
      acks.map(({ status }) => status),
      ['stored', 'stored', 'stored', 'duplicate', 'duplicate'],
    )
    await client.close()
  })

  it('loses nothing when the broker restarts', async () => {
    const { client } = open({ batchEvents: 7 })
    const half = Promise.all(
      Array.from({ length: 200 }, (_, value) => client.send({ event_type: 'a', value })),
    )
    await client.send({ event_type: 'b' })
    const restarted = broker.restart()
    const rest = Promise.all(
      Array.from({ length: 200 }, (_, value) => client.send({ event_type: 'c', value })),
    )
    await restarted
    const acks = [...(await half), ...(await rest)]
    assert.equal(new Set(acks.map((ack) => ack.event_id)).size, 400)
    assert.ok(acks.every((ack) => ingester.stored.has(ack.event_id ?? '')))
    await client.close()
  })

  it('warns about a rejected event and forgets it', async () => {
    const { client, warnings } = open()
    const good = client.send({ event_id: `${client.deviceId}-x`, event_type: 'temp', value: 1 })
    await good
    const ack = await client.send({ event_id: `${client.deviceId}-x`, event_type: 'temp', value: 2 })
    assert.equal(ack.error?.code, 'EVENT_ID_CONFLICT')
    assert.deepEqual(warnings, [{ kind: 'rejected', deviceId: client.deviceId, deviceAck: ack }])
    assert.equal(client.counts().waiting, 0)
    await client.close()
  })

  it('publishes raw bytes as they are and resolves with their device acks, with or without id', async () => {
    const { client } = open()
    const event = (id: string) =>
      `{"schema":1,"event_id":"${id}","device_id":"${client.deviceId}","event_type":"t"}`
    const id = client.deviceId
    const answers = await Promise.all([
      client.sendRaw('{"half":'),
      client.sendRaw(` [${event(`${id}-1`)}, {"schema":1}, ${event(`${id}-2`)}]`),
      client.sendRaw(Buffer.from([0xff, 0xfe])),
      client.sendRaw(event(`${id}-3`)),
    ])
    assert.deepEqual(
      answers.map((acks) => acks.map((ack) => [ack.event_id, ack.status])),
      [
        [[null, 'rejected']],
        [
          [`${id}-1`, 'stored'],
          [null, 'rejected'],
          [`${id}-2`, 'stored'],
        ],
        [[null, 'rejected']],
        [[`${id}-3`, 'stored']],
      ],
    )
    assert.equal(client.counts().waiting, 0)
    await client.close()
  })

  it('halves arrays that are refused as too large, and gives up only an event that is too large itself', async () => {
    const { client } = open({ resendAfterMs: 200 })
    ingester.judge = ({ payload, deviceAck }) =>
      payload.length > 600 ? rejected(null, 'MESSAGE_TOO_LARGE') : deviceAck
    const small = Array.from({ length: 20 }, (_, value) => client.send({ event_type: 'temp', value }))
    const large = client.send({ event_type: 'log', value: 'x'.repeat(700) })
    assert.ok((await Promise.all(small)).every(({ status }) => status === 'stored'))
    assert.equal((await large).error?.code, 'MESSAGE_TOO_LARGE')
    ingester.judge = ({ deviceAck }) => deviceAck
    await client.close()
  })

  it('reports when its queue is full, and when there is room again', async () => {
    const { client } = open({ maxWaitingEvents: 10 })
    const taken = Array.from({ length: 10 }, () => client.send({ event_type: 'temp' }))
    await assert.rejects(client.send({ event_type: 'temp' }), { code: 'QUEUE_FULL', retryable: true })
    await client.ready()
    await client.send({ event_type: 'temp' })
    await Promise.all(taken)
    await client.close()
  })

  it('reports an event that its journal has lost, once', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'qs-journal-'))
    const journal = { path: join(directory, 'events.jsonl'), fsync: true }
    const { client } = open({ journal, url: 'mqtt://127.0.0.1:1' })
    for (const value of [1, 2, 3]) void client.send({ event_type: 'temp', value })
    await client.close({ timeoutMs: 0 })
    writeFileSync(journal.path, readFileSync(journal.path, 'utf8').replace('"value":2', '"value":9'))
    const counted: number[] = []
    for (let start = 0; start < 2; start++) {
      const again = open({ journal, deviceId: client.deviceId })
      const losses = again.warnings.filter(({ kind }) => kind === 'lost')
      counted.push(losses.length)
      await again.client.flush()
      await again.client.close()
    }
    assert.deepEqual(counted, [1, 0])
    const events = [...ingester.stored.values()].map((json) => JSON.parse(json))
    assert.deepEqual(
      events.filter((event) => event.device_id === client.deviceId).map((event) => event.event_type),
      ['temp', 'temp', 'events_lost'],
    )
    rmSync(directory, { recursive: true })
  })

  it('sends exactly the events in its journal after a restart of the device', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'qs-journal-'))
    const journal = { path: join(directory, 'events.jsonl'), fsync: true }
    const { client } = open({ journal })
    await client.send({ event_type: 'temp', value: 1 })
    ingester.judge = () => null
    const lost = [2, 3].map((value) => client.send({ event_type: 'temp', value }))
    assert.deepEqual(await client.close({ timeoutMs: 0 }), { waiting: 2 })
    for (const each of lost) await assert.rejects(each, { code: 'CLOSED' })

    ingester.judge = ({ deviceAck }) => deviceAck
    const again = open({ journal, deviceId: client.deviceId })
    await again.client.flush()
    assert.deepEqual([again.client.counts().sent, again.client.counts().waiting], [2, 0])
    await again.client.close()
    const idle = open({ journal, deviceId: client.deviceId })
    assert.equal(idle.client.counts().waiting, 0)
    await idle.client.close()
    rmSync(directory, { recursive: true })
  })

  it('refuses values that JSON would change, and an id that is already waiting', async () => {
    const { client } = open()
    await assert.rejects(client.send({ event_type: 'temp', value: Number.NaN }), { code: 'EVENT_INVALID' })
    await assert.rejects(client.send({ event_type: 'temp', device_id: 'other' }), { code: 'EVENT_INVALID' })
    await assert.rejects(client.send({ event_type: 'log', value: 'x'.repeat(300_000) }), {
      code: 'EVENT_TOO_LARGE',
    })
    const first = client.send({ event_id: `${client.deviceId}-y`, event_type: 'temp' })
    await assert.rejects(client.send({ event_id: `${client.deviceId}-y`, event_type: 'door' }), {
      code: 'EVENT_ID_IN_USE',
    })
    await first
    await client.close()
  })

  it('keeps events while there is no broker, and reports what it tried', async () => {
    const { client, warnings } = open({ url: 'mqtt://127.0.0.1:1' })
    const kept = client.send({ event_type: 'temp' })
    await assert.rejects(client.connected({ timeoutMs: 100 }), {
      code: 'CONNECTION',
      message: /127\.0\.0\.1:1.*ECONNREFUSED/,
    })
    assert.ok(warnings.some(({ kind }) => kind === 'connection'))
    assert.deepEqual(await client.close({ timeoutMs: 10 }), { waiting: 1 })
    await assert.rejects(kept, { code: 'CLOSED' })
  })
})
