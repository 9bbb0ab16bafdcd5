import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { compile, KIT, link, temporary } from './compile.ts'
import { micropythonMissing, PYTHON } from './micropython.ts'

/** A device kit on this machine: host/board.cpp and micropython/kit.py take the same options. */
export interface Kit {
  readonly name: string
  readonly skip: string | false
  /** The program and its first arguments. */
  readonly command: () => Promise<readonly string[]>
}

/** On 64 bits as much as half of it on a board. The kit's code takes most. */
const SMALL_HEAP = micropythonMissing ? [] : ['-X', 'heapsize=120k']
const HERE = fileURLToPath(new URL('..', import.meta.url))
let program: Promise<string> | undefined

export const CPP: Kit = {
  name: 'device/esp32',
  skip: missing('g++', '--version'),
  command: async () => {
    program ??= compileBoard()
    return [await program]
  },
}

export const MICROPYTHON: Kit = {
  name: `device/micropython under ${PYTHON[0]}`,
  skip: missing(PYTHON[0], '-c', 'pass'),
  command: async () => [...PYTHON, ...SMALL_HEAP, join(HERE, 'micropython/kit.py')],
}

async function compileBoard(): Promise<string> {
  const directory = temporary()
  const sources = readdirSync(KIT).filter((name) => name.endsWith('.cpp'))
  const all = [...sources.map((name) => join(KIT, name)), join(HERE, 'host/board.cpp')]
  const objects = all.map((source, index) => compile(source, join(directory, `${index}.o`)))
  return link(await Promise.all(objects), join(directory, 'board'))
}

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>
type Options = Readonly<Record<string, string | number>>

interface Result {
  readonly kept: number
  readonly waiting: number
  readonly lost: number
  readonly erases: number
  readonly problem: string
}

let boards = 0
let directory = ''

export interface BoardSettings {
  readonly query: Query
  readonly [option: string]: string | number | Query
}

/** A board with a name and a flash of its own, which keeps it from one start to the next. */
export async function newBoard(t: TestContext, kit: Kit, { query, ...settings }: BoardSettings) {
  directory ||= temporary()
  const [command = '', ...first] = await kit.command()
  const device = `board-${++boards}`
  const flash = join(directory, device)
  const start = (more: Options) => {
    const options = Object.entries({ device, flash, ...settings, ...more })
    const child = spawn(command, [...first, ...options.map((option) => option.join('='))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  return {
    start,
    run: async (more: Options) => {
      const lines = await outputOf(start(more))
      return { ...(lines.at(-1) as Result), lines }
    },
    rows: (columns: string) =>
      query(
        `select right(event_id, 10)::int as number, ${columns} from events where device_id = '${device}' order by 1`,
      ),
    /** Each number is a row or lost, and nothing was refused. */
    judge: async ({ waiting, lost }: Result) => {
      const rows = await query(`select right(event_id, 10)::int as number, left(event_id, -10) as epoch
        from events where device_id = '${device}' order by 1`)
      const numbers = rows.map(({ number }) => Number(number))
      assert.equal(waiting, 0)
      assert.equal(new Set(rows.map(({ epoch }) => epoch)).size, 1)
      assert.equal((numbers.at(-1) ?? -1) + 1 - numbers.length, lost)
      const letters = await query(`select code, error from dead_letters where device_id = '${device}'`)
      assert.deepEqual(letters, [])
      return numbers
    },
  }
}

async function outputOf(child: ChildProcess): Promise<readonly unknown[]> {
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(child, 'close')
  const lines = Buffer.concat(chunks).toString().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}
