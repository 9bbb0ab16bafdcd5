import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { PARITY_CASES } from '@qs-telemetry/testing/parity/all-cases.ts'
import { BROKERS, type BrokerName, known, World } from '@qs-telemetry/testing/parity/parity-case.ts'
import { start } from '../embedded/broker/connecting.ts'

const START: Readonly<Record<BrokerName, (t: TestContext) => Promise<number>>> = {
  embedded: async (t) => (await start(t)).port,
  mosquitto: async (t) => (await startMosquitto(t)).port,
}
const CASES = Object.values(PARITY_CASES).flat()

for (const broker of BROKERS) {
  test(`${broker} does what the standard requires, except for the deviations in docs/reference/mqtt-parity.md`, {
    skip: broker === 'mosquitto' && mosquittoMissing,
    concurrency: 8,
  }, async (t) => {
    const port = await START[broker](t)
    const runs = CASES.flatMap((each) => each.versions.map((version) => ({ each, version })))
    await Promise.all(
      runs.map(({ each, version }, index) =>
        t.test(`MQTT ${version}: ${each.name}`, async () => {
          const world = new World(port, version, `parity/${index}`)
          const observed = await each.observe(world).finally(() => world.end())
          assert.equal(observed, known(each, broker, version), each.clause)
        }),
      ),
    )
  })
}
