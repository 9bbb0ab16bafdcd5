import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { toParquet } from '../../src/console/export/parquet.ts'
import type { ExportRow } from '../../src/console/queries/export-rows.ts'

const SERIES = 20_000

const rowOf = (index: number, valueText: string | null = null): ExportRow => ({
  ...{
    eventId: `e${index}`,
    deviceId: `d${index}`,
    eventType: 't',
    valueNum: index,
    valueText,
    valueExact: null,
    unit: '°C',
  },
  ...{ ts: '2026-11-01T08:30:00.123456Z', tsDevice: null, tsDeviceRaw: null },
  ...{ tsServer: '2026-11-01T08:30:00.123457Z', schema: 1, meta: null },
})

async function fileOf(rows: number, valueText: string | null = null): Promise<ArrayBuffer> {
  async function* parts() {
    for (let index = 0; index < rows; index++) yield [rowOf(index, valueText)]
  }
  const chunks: Buffer[] = []
  for await (const chunk of toParquet(parts())) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

test('many series with one event each share a few row groups', async () => {
  const file = await fileOf(SERIES)
  assert.equal(parquetMetadata(file).row_groups.length, 4)
  const objects = await parquetReadObjects({ file })
  assert.equal(objects.length, SERIES)
  assert.deepEqual(
    objects.map((row) => row.event_id),
    Array.from({ length: SERIES }, (_, index) => `e${index}`),
  )
})

test('a row group ends at two megabytes', async () => {
  const { row_groups: groups } = parquetMetadata(await fileOf(100, 'x'.repeat(100_000)))
  assert.deepEqual(
    groups.map((group) => Number(group.num_rows)),
    [20, 20, 20, 20, 20],
  )
})

test('an empty export is a valid file', async () => {
  assert.deepEqual(await parquetReadObjects({ file: await fileOf(0) }), [])
})
