import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { until } from '@qs-telemetry/testing/until.ts'
import { Stack } from './support/stack.ts'

/** Faults of the stack while a device sends, one after the other. */
const FAULTS: readonly (readonly [name: string, ...compose: string[]])[] = [
  ['ingester restarted', 'restart', 'ingester'],
  ['ingester killed', 'kill', '-s', 'SIGKILL', 'ingester'],
  ['PostgreSQL restarted', 'restart', 'postgres'],
  ['PostgreSQL killed', 'kill', '-s', 'SIGKILL', 'postgres'],
  ['broker restarted', 'restart', 'mosquitto'],
  ['broker killed', 'kill', '-s', 'SIGKILL', 'mosquitto'],
  ['Grafana restarted', 'restart', 'grafana'],
]

test('each container is restarted and killed under load, and nothing acked is lost', async (t) => {
  const stack = await Stack.start(t)
  const { username, password, client_id: clientId } = await stack.addDevice('busy')
  const client = new DeviceClient({
    url: stack.mqttUrl,
    deviceId: 'busy',
    username,
    password,
    batchEvents: 20,
    resendAfterMs: 1_000,
    mqtt: { clientId, reconnectPeriod: 200 },
  })
  t.after(() => client.close({ timeoutMs: 0 }))
  client.open()

  const acked = new Set<string>()
  const notStored: string[] = []
  let isSending = true
  let sent = 0
  const sending = (async () => {
    while (isSending) {
      await client.ready()
      const event_id = `busy-${sent++}`
      void client.send({ event_id, event_type: 'count', value: sent }).then(({ status }) => {
        if (status === 'rejected') notStored.push(event_id)
        else acked.add(event_id)
      })
      // About a thousand events per second, so that there is load and the machine can still restart containers.
      if (sent % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()

  for (const [name, ...args] of FAULTS) {
    await t.test(name, async () => {
      const before = acked.size
      await until(() => acked.size > before + 500, 'events flow before the fault', 60_000)
      await stack.compose(...args)
      // A container that was killed manually stays down, whatever its restart policy.
      if (args[0] === 'kill') await stack.compose('up', '--detach')
      const after = acked.size
      await until(() => acked.size > after + 500, 'events flow again', 60_000)
    })
  }

  isSending = false
  await sending
  await client.flush()
  assert.deepEqual(notStored, [])
  assert.equal(acked.size, sent)
  const stored = (
    await stack.sql("select event_id || ' ' || value_num from events where device_id = 'busy'")
  ).split('\n')
  assert.equal(stored.length, sent)
  const expected = Array.from({ length: sent }, (_, index) => `busy-${index} ${index + 1}`)
  assert.deepEqual(stored.sort(), expected.sort())
  t.diagnostic(`${sent} events sent and acked, ${stored.length} stored, none missing, duplicated or changed`)
})
