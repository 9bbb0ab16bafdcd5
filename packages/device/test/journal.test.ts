import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Journal } from '../src/journal.ts'

describe('Journal', () => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-journal-'))
  after(() => rmSync(directory, { recursive: true }))
  let files = 0
  const newPath = () => join(directory, `${++files}.jsonl`)

  it('returns the events that were not forgotten, in order, without a torn last line', () => {
    const path = newPath()
    const journal = new Journal({ path })
    assert.deepEqual(journal.open(), [])
    for (const id of ['a', 'b', 'c']) journal.keep(`{"event_id":"${id}"}`)
    journal.forget(['b'])
    journal.close()
    appendFileSync(path, '{"event_id":"d","val')
    const again = new Journal({ path })
    assert.deepEqual(again.open(), ['{"event_id":"a"}', '{"event_id":"c"}'])
    again.close()
    assert.equal(readFileSync(path, 'utf8'), '{"event_id":"a"}\n{"event_id":"c"}\n')
  })

  it('refuses a file that is damaged before its end, and leaves it as it is', () => {
    const path = newPath()
    const damaged = '{"event_id":"a"}\n{"eve\n{"event_id":"c"}\n'
    writeFileSync(path, damaged)
    assert.throws(() => new Journal({ path }).open(), {
      code: 'JOURNAL_UNREADABLE',
      message: /:2 is damaged/,
    })
    assert.equal(readFileSync(path, 'utf8'), damaged)
  })

  it('is wasteful once more than half of it, and a mebibyte, is forgotten events', () => {
    const journal = new Journal({ path: newPath() })
    journal.open()
    const json = `{"event_id":"a","value":"${'x'.repeat(100_000)}"}`
    for (let round = 0; round < 12; round++) {
      journal.keep(json)
      journal.forget(['a'])
    }
    assert.ok(journal.isWasteful(0))
    journal.rewrite([])
    assert.ok(!journal.isWasteful(0))
    journal.close()
  })
})
