import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { type Kit, newBoard } from './support/board.ts'
import { startFaultyProxy } from './support/failing-brokers.ts'
import { compileWith, LIBRARIES, type Library } from './support/libraries.ts'

/*
 * The kit over the connections of the real MQTT libraries, with the links of device/esp32. QS_DEVICE_LIBRARIES is a folder
 * with copies of their repositories: arduino-mqtt (256dpi), espMqttClient, esp-mqtt. docs/device-kit.md has the results.
 */

const COPIES = process.env.QS_DEVICE_LIBRARIES ?? ''
const skip = COPIES === '' && 'QS_DEVICE_LIBRARIES names no folder with copies of the MQTT libraries'
const programs = new Map<Library, Promise<string>>()

for (const library of LIBRARIES) {
  const kit: Kit = {
    name: library.folder,
    skip,
    command: async () => {
      const program = programs.get(library) ?? compileWith(library, COPIES)
      programs.set(library, program)
      return [await program]
    },
  }

  for (const broker of ['qs up', 'Mosquitto'] as const) {
    test(`device/esp32 over ${library.folder} and ${broker} loses and doubles no event`, {
      skip: skip || (broker === 'Mosquitto' && mosquittoMissing),
    }, async (t) => {
      const stack = broker === 'qs up' ? await startTestConsole(t) : undefined
      const port = stack?.mqttPort ?? (await startMosquitto(t)).port
      const query = stack?.query ?? (await startPipeline(t, `mqtt://127.0.0.1:${port}`)).query
      const proxy = await startFaultyProxy(t, port)
      // The clock of the kit is five times as fast, that of the library is not.
      const settings = { query, speed: 5, seconds: 1_500, bridge: 'real' }
      const board = await newBoard(t, kit, { ...settings, port: proxy.port })
      const result = await board.run({ count: 1_000, every: 20 })
      const numbers = await board.judge(result)
      assert.deepEqual([numbers.length, result.lost], [1_000, 0])
      assert.ok(proxy.faults() >= 6, `${proxy.faults()} faults`)

      // Recorded at once, so messages are full; refused, so device acks are as large as they get.
      const refused = await newBoard(t, kit, { ...settings, port, meta: '{"broken":NaN}' })
      const { waiting, lines } = await refused.run({ count: 100 })
      assert.equal(waiting, 0)
      assert.equal(lines.length, 101)
    })
  }
}
