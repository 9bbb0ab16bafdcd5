import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DeviceSort } from '@qs-telemetry/protocol/api'
import { fillFleet } from '@qs-telemetry/testing/fleet.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { overviewHouse } from '../../src/console/queries/overview-house.ts'
import { overviewNumbers } from '../../src/console/queries/overview-numbers.ts'
import { pinReading } from '../../src/console/queries/pinned.ts'
import { type Ask, QueryPool } from '../../src/database/query-pool.ts'
import { DEVICE_ORDERS } from '../../src/devices/device-order.ts'
import { countDevices, listDevices } from '../../src/devices/list-devices.ts'
import { overviewDevices } from '../../src/devices/overview-devices.ts'

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
  readonly Plans?: readonly Plan[]
}

interface Asked {
  readonly bytes: number
  /** Pages of 8 KiB that PostgreSQL accessed. */
  readonly blocks: number
  /** Tables with a sequential scan. */
  readonly scanned: ReadonlySet<string>
}

/** Runs queries and records the plan of each. */
async function explained(pool: QueryPool, ask: (pool: Ask) => Promise<unknown>): Promise<Asked> {
  let blocks = 0
  const scanned = new Set<string>()
  const visit = (plan: Plan) => {
    if (plan['Node Type'] === 'Seq Scan') scanned.add(plan['Relation Name'] ?? '')
    for (const below of plan.Plans ?? []) visit(below)
  }
  const watching: Ask = {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      const [row] = await pool.query<{ readonly 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
        `explain (analyze, buffers, timing off, format json) ${text}`,
        values,
      )
      const plan = row?.['QUERY PLAN'][0]?.Plan as Plan
      blocks += plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
      visit(plan)
      return pool.query<Row>(text, values)
    },
  }
  const answer = await ask(watching)
  return { bytes: Buffer.byteLength(JSON.stringify(answer)), blocks, scanned }
}

/** Small enough that both fleets fill a page, also when filtered by clock. */
const PAGE = { limit: 15 }

const QUESTIONS: Readonly<Record<string, (ask: Ask) => Promise<unknown>>> = {
  'overview, devices': overviewDevices,
  'overview, house': overviewHouse,
  'overview, numbers': overviewNumbers,
  'a page by search': (ask) => listDevices(ask, { ...PAGE, search: 'ESP32-000' }),
  'a page of online devices': (ask) => listDevices(ask, { ...PAGE, status: 'online' }),
  'a page with good clocks': (ask) => listDevices(ask, { ...PAGE, clock: 'good' }),
  'a count': (ask) => countDevices(ask, { search: 'esp32', status: 'online' }),
  ...Object.fromEntries(
    (Object.keys(DEVICE_ORDERS) as DeviceSort[]).map((sort) => [
      `a page by ${sort}`,
      (ask: Ask) => listDevices(ask, { ...PAGE, sort }),
    ]),
  ),
}

async function ask(t: TestContext, devices: number) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 240_000 })
  t.after(() => pool.end())
  await fillFleet(pool, devices)
  for (let n = 1; n <= 20; n++)
    await pinReading(pool, { deviceId: `esp32-${`${n}`.padStart(5, '0')}`, eventType: 'type3' })
  const [size] = await pool.query<{ blocks: number }>(
    `select (pg_relation_size('devices') / 8192)::int as blocks`,
  )
  const asked = new Map<string, Asked>()
  for (const [name, question] of Object.entries(QUESTIONS)) asked.set(name, await explained(pool, question))
  return { asked, deviceBlocks: size?.blocks ?? 0 }
}

test('Overview and Devices answer for 20,000 devices of five types in as many bytes as for 20, and never scan series', async (t) => {
  const [few, many] = [await ask(t, 20), await ask(t, 20_000)]
  for (const [name, { bytes, blocks, scanned }] of many.asked) {
    const before = few.asked.get(name) as Asked
    t.diagnostic(`${name}: ${before.bytes} bytes, ${before.blocks} blocks; ${bytes} bytes, ${blocks} blocks`)
    if (name !== 'overview, devices')
      assert.ok(
        Math.abs(bytes - before.bytes) <= 0.03 * before.bytes + 10,
        `${name}: ${before.bytes}, ${bytes} bytes`,
      )
    assert.ok(bytes < 24 * 1024, `${name}: ${bytes} bytes`)
    assert.ok(!scanned.has('series'), `${name} scans series`)
    const isByName = name === 'a page by name' || name === 'overview, house'
    assert.ok(!(isByName && scanned.has('devices')), `${name} scans devices`)
    // At most one scan of devices, and one or two index descents per reading shown.
    assert.ok(blocks <= many.deviceBlocks + 1_000, `${name}: ${blocks} blocks of ${many.deviceBlocks}`)
  }
})
