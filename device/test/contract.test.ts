import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { compile, KIT, link, temporary } from './support/compile.ts'
import { judge, type World, worldOf } from './support/contract.ts'
import { JournalSubject } from './support/journal-subject.ts'
import { CPYTHON, micropythonMissing } from './support/micropython.ts'

/*
 * One contract for every store of events on a device (support/contract.ts): through power cuts at any byte, with a store
 * that is empty, filling or full, each event that was kept is sent or counted as lost, none with other content, in order.
 *
 * The long form: QS_DEVICE_CUTS=100000 npm test -- device/test/contract
 */

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CUTS = Number(process.env.QS_DEVICE_CUTS ?? 600)
const CUTS_A_WORLD = 8

const CONTRACT_PY = join(HERE, 'micropython/contract.py')
const [PYTHON, ...PYTHON_OPTIONS] = CPYTHON
const MICROPYTHON_LOG = join(HERE, '../micropython/qs_ring_log.py')

/** Runs scripts of commands; resolves with a line for each command. */
type Store = (script: readonly string[]) => Promise<readonly string[]>

const STORES: readonly (readonly [
  name: string,
  skip: string | false,
  start: () => Promise<Store>,
  share?: number,
])[] = [
  [
    'the ring log of device/esp32',
    missing('g++', '--version'),
    async () => {
      const directory = temporary()
      const sources = [join(HERE, 'host/contract.cpp'), join(KIT, 'ring-log.cpp'), join(KIT, 'crc32.cpp')]
      const objects = sources.map((source, index) => compile(source, join(directory, `${index}.o`)))
      const program = await link(await Promise.all(objects), join(directory, 'contract'))
      return (script) => answersOf(program, [], script)
    },
  ],
  [
    'the ring log of device/esp32 on rv32, in qemu,',
    missing('qemu-system-riscv32', '--version') || missing('riscv64-unknown-elf-g++', '--version'),
    startRv32,
    // It is emulated, at about 100 cuts a second.
    0.15,
  ],
  [
    'the ring log of device/micropython',
    missing(PYTHON, '--version'),
    async () => (script) => answersOf(PYTHON, [...PYTHON_OPTIONS, CONTRACT_PY], script),
  ],
  [
    'the ring log of device/micropython, under MicroPython on LittleFS,',
    micropythonMissing,
    // Files of before a cut are collected later, which MicroPython reports.
    async () => async (script) =>
      (await answersOf('micropython', [CONTRACT_PY, 'littlefs'], script)).filter((line) =>
        /^[a-z]/.test(line),
      ),
    0.3,
  ],
  [
    'the journal of packages/device',
    false,
    async () => {
      const subject = new JournalSubject(temporary())
      return async (script) => script.map((command) => subject.take(command))
    },
  ],
]

for (const [name, skip, start, share = 1] of STORES) {
  const cuts = Math.ceil(CUTS * share)
  test(`${name} keeps the contract through ${cuts} power cuts`, { skip }, async (t) => {
    const store = await start()
    const { problem, kept, inside } = await runWorlds(store, worldsOf(cuts / CUTS_A_WORLD))
    assert.equal(problem, null)
    t.diagnostic(`${kept} events kept, ${inside} cuts inside an operation`)
    assert.ok(kept > 5 * cuts && inside > cuts / 4, `${kept} events, ${inside} cuts`)
  })
}

/** Faults that a change could make: the text of qs_ring_log.py, and what replaces it. */
const FAULTS: readonly (readonly [name: string, from: string, to: string])[] = [
  [
    'checks no CRC',
    'line[:9] == b"%08x " % self.crc(epoch, generation, offset, line[9:-1])',
    'line[8:9] == b" "',
  ],
  [
    'appends behind a write that was cut',
    'self.is_closed = True\n            self.next += 1\n        else:\n            self.file',
    'self.next += 1\n        self.is_closed = False\n        if True:\n            self.file',
  ],
  [
    'does not note in a new file what is settled',
    'state = (self.epoch, self.next, self.low, self.settled',
    'state = (self.epoch, self.next, self.low, 0',
  ],
  [
    'drops events that wait although new ones are to be refused',
    'if is_full and not may_drop and self.waiting_in(self.files[0]):',
    'if False:',
  ],
  [
    'does not flush',
    'self.file.flush()\n        except OSError:\n            self.is_closed = True',
    'pass\n        except OSError:\n            self.is_closed = True',
  ],
]

for (const [name, from, to] of FAULTS) {
  test(`the contract finds a ring log that ${name}`, { skip: missing(PYTHON, '--version') }, async () => {
    const text = readFileSync(MICROPYTHON_LOG, 'utf8')
    assert.equal(text.split(from).length, 2, `qs_ring_log.py has this once: ${from}`)
    const folder = temporary()
    writeFileSync(join(folder, 'qs_ring_log.py'), text.replace(from, to))
    const store: Store = (script) => answersOf(PYTHON, [...PYTHON_OPTIONS, CONTRACT_PY, folder], script)
    const { problem } = await runWorlds(store, worldsOf(30))
    assert.notEqual(problem, null)
  })
}

const worldsOf = (count: number) =>
  Array.from({ length: count }, (_, seed) => worldOf(seed + 1, CUTS_A_WORLD))

async function runWorlds(store: Store, worlds: readonly World[]) {
  const answers = await store(worlds.flatMap(({ commands }) => commands))
  let at = 0
  let problem: string | null = null
  for (const [index, world] of worlds.entries()) {
    const broken = judge(world, answers.slice(at, at + world.commands.length))
    if (broken !== null) problem ??= `seed ${index + 1}: ${broken}`
    at += world.commands.length
  }
  const count = (start: string) => answers.filter((answer) => answer.startsWith(start)).length
  return { problem, kept: count('kept '), inside: count('off ') }
}

/** Programs for rv32 have no standard input: they read and write files, by semihosting. */
async function startRv32(): Promise<Store> {
  const directory = temporary()
  const target = ['--specs=picolibc.specs', '-march=rv32imac', '-mabi=ilp32', '-Os']
  const language = ['-std=c++11', '-fno-exceptions', '-fno-rtti', `-I${KIT}`, `-I${join(HERE, 'host')}`]
  const sources = [join(HERE, 'host/contract.cpp'), join(KIT, 'ring-log.cpp'), join(KIT, 'crc32.cpp')]
  const objects = sources.map((_, index) => join(directory, `${index}.o`))
  for (const [index, source] of sources.entries()) {
    const files = ['-DIN="in.txt"', '-DOUT="out.txt"', '-c', '-o', objects[index] ?? '', source]
    execFileSync('riscv64-unknown-elf-g++', [...target, ...language, ...files])
  }
  const memory =
    '__flash=0x80000000 __flash_size=0x200000 __ram=0x80200000 __ram_size=0x4000000 __stack_size=0x10000'
  const symbols = memory.split(' ').map((symbol) => `-Wl,--defsym=${symbol}`)
  const program = join(directory, 'contract.elf')
  execFileSync('riscv64-unknown-elf-gcc', [
    ...target,
    ...['--oslib=semihost', ...symbols, '-o', program, ...objects],
  ])
  return async (script) => {
    writeFileSync(join(directory, 'in.txt'), `${script.join('\n')}\nquit\n`)
    const machine = ['-machine', 'virt', '-bios', 'none', '-kernel', program, '-display', 'none']
    const ports = ['-monitor', 'none', '-serial', 'none', '-semihosting-config', 'enable=on']
    execFileSync('qemu-system-riscv32', [...machine, ...ports], { cwd: directory, timeout: 300_000 })
    return readFileSync(join(directory, 'out.txt'), 'utf8').trim().split('\n')
  }
}

async function answersOf(program: string, args: readonly string[], script: readonly string[]) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  // One that ends early has not answered all.
  child.stdin.on('error', () => {})
  child.stdin.end(`${script.join('\n')}\nquit\n`)
  const chunks: Buffer[] = []
  for await (const chunk of child.stdout) chunks.push(chunk)
  return Buffer.concat(chunks).toString().trim().split('\n')
}
