import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Copy, CopyRows } from '../../src/sink/copy-rows.ts'
import { eventOf } from '../reply/replying.ts'

const TS = '2026-11-23T18:00:00.123456Z'

const idsOf = ({ data }: Copy) =>
  data
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t')[0])

test('rows come out complete and sorted by id, whatever the order of input, on each use', () => {
  const rows = new CopyRows()
  const letters = fc.constantFrom(...'abcé°😀')
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ unit: letters, minLength: 1, maxLength: 400 }), { maxLength: 300 }),
      (ids) => {
        for (const id of ids) rows.add(eventOf(id), TS)
        const copy = rows.take()
        if (ids.length === 0) return assert.equal(copy, null)
        assert.equal(copy?.rows, ids.length)
        assert.deepEqual(
          idsOf(copy as Copy),
          [...ids].sort((one, other) => (one < other ? -1 : 1)),
        )
        const one = new CopyRows()
        one.add(eventOf(ids[0] as string), TS)
        assert.ok(copy?.data.includes(one.take()?.data as Buffer))
      },
    ),
  )
})

test('rows with a repeated id are not copied, and leave nothing for the next use', () => {
  const rows = new CopyRows()
  for (const id of ['b', 'a', 'b']) rows.add(eventOf(id), TS)
  assert.equal(rows.take(), null)
  rows.add(eventOf('c'), TS)
  assert.deepEqual(idsOf(rows.take() as Copy), ['c'])
})
