import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { type CsvOptions, readCsv } from '../../src/import/csv.ts'
import { rawBytes, type SourceRecord } from '../../src/import/source-record.ts'

async function read(content: string | Buffer, options: Partial<CsvOptions> = {}) {
  const [records, headers]: [SourceRecord[], string[]] = [[], []]
  const bytes = Buffer.from(content)
  // In pieces that divide characters.
  const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, n) =>
    bytes.subarray(n * 7, n * 7 + 7),
  )
  for await (const some of readCsv(Readable.from(chunks), {
    ...{ delimiter: null, header: null, ...options },
    onHeader: (line) => headers.push(line.toString()),
  }))
    records.push(...some)
  return { records, headers }
}

test('quotes, line ends in a cell, a byte order mark and UTF-8', async () => {
  const { records, headers } = await read(
    '\ufefftime,name,value\r\n1,"a ""b""\nc",21.5\r\n\r\n2,Küche °C,\r\n',
  )
  assert.deepEqual(headers, ['time,name,value'])
  assert.deepEqual(
    records.map(({ line, columns, raw }) => [line, { ...columns }, rawBytes(raw).toString()]),
    [
      [2, { time: '1', name: 'a "b"\nc', value: '21.5' }, '1,"a ""b""\nc",21.5'],
      [5, { time: '2', name: 'Küche °C', value: '' }, '2,Küche °C,'],
    ],
  )
})

test('the delimiter is the one of the first line, or as said; names may be given', async () => {
  for (const [content, options] of [
    ['a;b\n1,5;2', {}],
    ['a\tb\n1,5\t2', {}],
    ['a|b\n1,5|2', { delimiter: '|' }],
    ['1,5;2', { header: ['a', 'b'] }],
  ] as const) {
    const { records } = await read(content, options)
    assert.deepEqual(
      records.map(({ columns }) => ({ ...columns })),
      [{ a: '1,5', b: '2' }],
      content,
    )
  }
})

test('a bad record costs only itself, and keeps its bytes', async () => {
  const latin1 = Buffer.from('a,b\n1,2\n3\n°,5\n"6"x,7\n8,9\n"a quote without its pair\n1,2', 'latin1')
  const { records } = await read(latin1)
  assert.deepEqual(
    records.map(({ line, fault, raw }) => [line, fault?.code, rawBytes(raw).toString('latin1')]),
    [
      [2, undefined, '1,2'],
      [3, 'WRONG_COLUMNS', '3'],
      [4, 'NOT_UTF8', '°,5'],
      [5, 'NOT_CSV', '"6"x,7'],
      [6, undefined, '8,9'],
      [7, 'NOT_CSV', '"a quote without its pair'],
      [8, undefined, '1,2'],
    ],
  )
})
