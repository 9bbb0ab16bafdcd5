import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { FLEET_TYPES, fillFleet } from '@qs-telemetry/testing/fleet.ts'
import { QueryPool } from '../../packages/qs/src/database/query-pool.ts'
import { startDatabase } from '../stack/database.ts'
import { startConsole } from './start-console.ts'

/*
 * npm run bench:fleet: bytes and milliseconds of the requests of Overview and Devices to `qs console`, with 20 devices
 * and with 20,000. Twenty devices per page, so that both fleets fill it.
 */

const FLEETS = [20, 20_000]
const RUNS = 11
/** Longer than the overview caches an answer. */
const OVERVIEW_MS = 1_600

const PATHS = [
  '/api/overview',
  ...['name', 'room', 'seen', 'quiet', 'clock', 'types'].map((sort) => `/api/devices?limit=20&sort=${sort}`),
  ...['search=esp32-000', 'status=online', 'clock=good'].map((filter) => `/api/devices?limit=20&${filter}`),
  '/api/rooms?limit=20',
  '/api/types',
]

interface Measured {
  readonly bytes: number
  readonly medianMs: number
}

async function measure(url: string): Promise<Measured> {
  const times: number[] = []
  let bytes = 0
  // The first run has a cold cache.
  for (let run = 0; run <= RUNS; run++) {
    if (url.endsWith('/api/overview')) await delay(OVERVIEW_MS)
    const start = performance.now()
    const answer = await fetch(url)
    bytes = (await answer.arrayBuffer()).byteLength
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
    if (run > 0) times.push(performance.now() - start)
  }
  return { bytes, medianMs: times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN }
}

const parent = mkdtempSync(join(tmpdir(), 'qs-bench-fleet-'))
const database = await startDatabase(join(parent, 'postgres'))
try {
  const results: Measured[][] = []
  for (const devices of FLEETS) {
    const url = await database.fresh(`fleet-${devices}`)
    const pool = new QueryPool(url, { name: 'bench', connections: 1, timeoutMs: 60_000 })
    await fillFleet(pool, devices)
    await pool.end()
    const running = await startConsole(url)
    const measured: Measured[] = []
    for (const path of PATHS) measured.push(await measure(running.url + path))
    await running.stop()
    results.push(measured)
  }
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, ` +
      `PostgreSQL ${database.version}, ${FLEET_TYPES} types per device, median of ${RUNS}\n`,
  )
  console.log(
    `| | ${FLEETS.map((each) => `${each.toLocaleString('en')} devices`).join(' | ')} |\n|---|${FLEETS.map(() => '---').join('|')}|`,
  )
  for (const [index, path] of PATHS.entries()) {
    const cells = results
      .map((all) => all[index])
      .map((each) => `${each?.bytes.toLocaleString('en')} bytes, ${each?.medianMs.toFixed(1)} ms`)
    console.log(`| \`${path}\` | ${cells.join(' | ')} |`)
  }
} finally {
  await database.stop()
  rmSync(parent, { recursive: true, force: true })
}
