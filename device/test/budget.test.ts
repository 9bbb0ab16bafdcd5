import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { compile, KIT, link, run, temporary } from './support/compile.ts'

/*
 * What the kit may take of a board: 12 KB of flash without the functions that every program has (libc, libgcc), and 2
 * KB of RAM with one message; of its flash, 0.15 erases an event, evenly.
 */

const HOST = fileURLToPath(new URL('host/', import.meta.url))
const MAX_FLASH = 12 * 1024
const MAX_RAM = 2 * 1024

/** CI has the first; its code is the larger one. */
const COMPILERS = [
  ['xtensa-lx106-elf', ['-mlongcalls'], missing('xtensa-lx106-elf-g++', '--version')],
  [
    'riscv64-unknown-elf',
    ['-march=rv32imc', '-mabi=ilp32'],
    spawnSync('riscv64-unknown-elf-g++', ['--version']).status === 0 ? false : 'it is not installed',
  ],
] as const

for (const [target, options, skip] of COMPILERS) {
  test(`the kit takes at most 12 KB of flash and 2 KB of RAM (${target})`, { skip }, (t) => {
    const program = join(temporary(), 'board.elf')
    const sources = readdirSync(KIT).filter((name) => name.endsWith('.cpp'))
    execFileSync(`${target}-g++`, [
      ...['-std=c++11', '-Os', '-fno-exceptions', '-fno-rtti', '-ffunction-sections', '-fdata-sections'],
      ...['-nostdlib', '-Wl,--gc-sections,-e,entry,--unresolved-symbols=ignore-all', ...options],
      ...[
        `-I${KIT}`,
        '-isystem',
        join(HOST, 'freestanding'),
        '-o',
        program,
        join(HOST, 'smallest-board.cpp'),
      ],
      ...sources.map((name) => join(KIT, name)),
    ])
    const [, numbers = ''] = execFileSync(`${target}-size`, [program]).toString().split('\n')
    const [text = 0, data = 0, bss = 0] = numbers.trim().split(/\s+/).map(Number)
    t.diagnostic(`${text} bytes of flash, ${data + bss} bytes of RAM`)
    assert.ok(text > 5_000 && text + data <= MAX_FLASH, `${text + data} bytes of flash`)
    assert.ok(bss > 1_000 && data + bss <= MAX_RAM, `${data + bss} bytes of RAM`)
  })
}

test('an event costs at most 0.15 erases, and the sectors wear evenly', {
  skip: missing('g++', '--version'),
}, async () => {
  const directory = temporary()
  const sources = [join(HOST, 'ring-log-wear.cpp'), join(KIT, 'ring-log.cpp'), join(KIT, 'crc32.cpp')]
  const objects = await Promise.all(
    sources.map((source, index) => compile(source, join(directory, `${index}.o`))),
  )
  const { code, stdout } = await run(await link(objects, join(directory, 'wear')), [])
  assert.equal(code, 0, stdout)
  const { perThousand, least, most } = JSON.parse(stdout)
  assert.ok(perThousand > 50 && perThousand <= 150, stdout)
  assert.ok(most <= least * 1.1, stdout)
})
