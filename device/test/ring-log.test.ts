import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { compile, KIT, link, run, temporary } from './support/compile.ts'

/*
 * The ring log of the device kit on simulated NOR flash, through power cuts: host/ring-log-cuts.cpp has the promises,
 * the simulator is host/nor-flash.h. The long form: QS_DEVICE_CUTS=100000 npm test -- device/test/ring-log
 */

const HOST = fileURLToPath(new URL('host/', import.meta.url))
const skip = missing('g++', '--version')
const CUTS = process.env.QS_DEVICE_CUTS ?? '4000'
/** The cuts find each fault below within these. */
const FAULT_CUTS = '20000'

/** Faults that a change could make: the text of ring-log.cpp, what replaces it, and the promise that breaks. */
const FAULTS: readonly (readonly [name: string, from: string, to: string, broken: RegExp])[] = [
  ['checks no CRC', 'if (crc != header.crc) return false;', '', /never recorded|not there|given out/],
  [
    'does not check that the rest of the head is blank',
    'if (!flash_->blank(head_ * Flash::SECTOR + end_, Flash::SECTOR - end_)) {',
    'if (false) {',
    /a byte is written that is not erased/,
  ],
  [
    'appends behind a write that was cut',
    'closed_ = true;\n    next_++;',
    'next_++;',
    /a byte is written that is not erased/,
  ],
  [
    'gives the number of a write that was cut out again',
    'closed_ = true;\n    next_++;',
    'closed_ = true;',
    /other content: a conflict/,
  ],
  [
    'erases the only note of what is settled',
    'return append(EntryKind::Note, next_, nullptr, 0);',
    'return true;',
    /sent again after it was settled|settled counts as lost/,
  ],
  [
    'erases a sector without a note of what it settled',
    'header.settled = settled_;',
    'header.settled = 0;',
    /settled counts as lost/,
  ],
  [
    'erases events that wait although new ones are to be refused',
    'if (!mayDrop && waitingIn(oldest, 1) > 0) return false;',
    'if (!mayDrop && waitingIn(oldest, 1) > 9) return false;',
    /although new ones are to be refused/,
  ],
  [
    'trusts a sector that looks erased',
    'if (!flash_->erase(sector)) return false;',
    'if (!flash_->blank(sector * Flash::SECTOR, Flash::SECTOR) && !flash_->erase(sector)) return false;',
    /a byte is written that is not erased/,
  ],
]

let directory = ''
let objects: readonly string[] = []

before(async () => {
  if (skip) return
  directory = temporary()
  objects = await Promise.all([
    compile(join(HOST, 'ring-log-cuts.cpp'), join(directory, 'cuts.o')),
    compile(join(KIT, 'crc32.cpp'), join(directory, 'crc32.o')),
  ])
})

/** Builds the program of the cuts with this ring-log.cpp. */
async function build(name: string, source: string): Promise<string> {
  const object = await compile(source, join(directory, `${name}.o`))
  return link([...objects, object], join(directory, name))
}

test(`through ${CUTS} power cuts every event is sent or lost, once and in order`, { skip }, async (t) => {
  const program = await build('right', join(KIT, 'ring-log.cpp'))
  const { code, stdout } = await run(program, [CUTS])
  assert.equal(code, 0, stdout)
  t.diagnostic(stdout)
})

for (const [index, [name, from, to, broken]] of FAULTS.entries()) {
  test(`the cuts find a log that ${name}`, { skip }, async () => {
    const text = readFileSync(join(KIT, 'ring-log.cpp'), 'utf8')
    assert.equal(text.split(from).length, 2, `ring-log.cpp has this once: ${from}`)
    const source = join(directory, `fault-${index}.cpp`)
    writeFileSync(source, text.replace(from, to))
    const { code, stdout } = await run(await build(`fault-${index}`, source), [FAULT_CUTS])
    assert.equal(code, 1, stdout)
    assert.match(stdout, broken)
  })
}
