import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Journal } from '../src/journal.ts'

const eventOf = (eventId: string, value = '') => ({
  eventId,
  json: JSON.stringify({ event_id: eventId, value }),
})
const jsonOf = (...ids: readonly string[]) => ids.map((id) => eventOf(id).json)

describe('Journal', () => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-journal-'))
  after(() => rmSync(directory, { recursive: true }))
  let files = 0
  const newPath = () => join(directory, `${++files}.jsonl`)
  const opened = (path: string, fsync = false) => {
    const journal = new Journal({ path, fsync })
    return { journal, waiting: journal.open() }
  }

  it('returns the events that were not forgotten, in order, without a torn last line', () => {
    const path = newPath()
    const { journal, waiting } = opened(path)
    assert.deepEqual(waiting, [])
    for (const id of ['a', 'b', 'c']) journal.keep(eventOf(id))
    journal.forget(['b'])
    journal.close()
    appendFileSync(path, '01234567 3 {"event_id":"d","val')
    const again = opened(path)
    assert.deepEqual(again.waiting, jsonOf('a', 'c'))
    assert.deepEqual([again.journal.next, again.journal.lost], [3, 0])
    again.journal.close()
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 4)
  })

  it('loses only the event whose line is damaged, and counts it', () => {
    const path = newPath()
    const { journal } = opened(path)
    for (const id of ['a', 'b', 'c']) journal.keep(eventOf(id))
    journal.close()
    writeFileSync(path, readFileSync(path, 'utf8').replace('"b"', '"x"'))
    const again = opened(path)
    assert.deepEqual(again.waiting, jsonOf('a', 'c'))
    assert.deepEqual([again.journal.lost, again.journal.mark], [1, 0])
    again.journal.setMark(1)
    again.journal.close()
    const third = opened(path)
    assert.deepEqual([third.journal.lost, third.journal.mark], [1, 1])
    third.journal.close()
  })

  it('does not count an event as lost that was forgotten, also if its own line is damaged', () => {
    const path = newPath()
    const { journal } = opened(path)
    journal.keep(eventOf('a'))
    journal.forget(['a'])
    journal.close()
    writeFileSync(path, readFileSync(path, 'utf8').replace('{"event_id":"a"', '{"event_id":"x"'))
    const again = opened(path)
    assert.deepEqual([again.waiting, again.journal.next, again.journal.lost], [[], 1, 0])
    again.journal.close()
  })

  it('loses no later event by a write that fails half-way', { skip: process.platform !== 'linux' }, () => {
    const path = newPath()
    const { journal } = opened(path)
    journal.keep(eventOf('a'))
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`])
    limit(String(readFileSync(path).length + 20))
    try {
      assert.throws(() => journal.keep(eventOf('b')), { code: 'EFBIG' })
    } finally {
      limit('unlimited')
    }
    journal.keep(eventOf('c'))
    journal.close()
    const again = opened(path)
    assert.deepEqual(again.waiting, jsonOf('a', 'c'))
    assert.equal(again.journal.lost, 1)
    again.journal.close()
  })

  it('keeps its epoch with fsync only: without, the file may be older than what was sent', () => {
    for (const fsync of [true, false]) {
      const path = newPath()
      const first = opened(path, fsync).journal
      const { epoch } = first
      first.close()
      const second = opened(path, fsync).journal
      assert.equal(second.epoch === epoch, fsync)
      second.close()
    }
  })

  it('reads a file from before 0.3, and refuses one that is damaged before its end, leaving it as it is', () => {
    const path = newPath()
    writeFileSync(path, `${jsonOf('a', 'b', 'c').join('\n')}\n"b"\n{"event`)
    const { journal, waiting } = opened(path)
    assert.deepEqual(waiting, jsonOf('a', 'c'))
    journal.close()
    const again = opened(path)
    assert.deepEqual([again.waiting, again.journal.lost], [jsonOf('a', 'c'), 0])
    again.journal.close()
    const damaged = '{"event_id":"a"}\n{"eve\n{"event_id":"c"}\n'
    writeFileSync(path, damaged)
    assert.throws(() => opened(path), { code: 'JOURNAL_UNREADABLE', message: /:2 is damaged/ })
    assert.equal(readFileSync(path, 'utf8'), damaged)
  })

  it('is wasteful once more than half of it, and a mebibyte, is forgotten events', () => {
    const { journal } = opened(newPath())
    for (let round = 0; round < 12; round++) {
      journal.keep(eventOf('a', 'x'.repeat(100_000)))
      journal.forget(['a'])
    }
    assert.ok(journal.isWasteful(0))
    journal.rewrite([])
    assert.ok(!journal.isWasteful(0))
    assert.equal(journal.lost, 0)
    journal.close()
  })
})
