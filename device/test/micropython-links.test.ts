import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { listen } from './support/failing-brokers.ts'
import { PYTHON } from './support/micropython.ts'

const PROGRAM = fileURLToPath(new URL('micropython/failing_links.py', import.meta.url))
const CONNACK = Buffer.from([0x20, 2, 0, 0])
const SUBACK = Buffer.from([0x90, 3, 0, 1, 0])
const HALF_AN_ACK = Buffer.from([0x30, 90, 0, 4, 0x61])

/** Called with the number of each piece that arrives: the first is a CONNECT, the second a SUBSCRIBE. */
type Broker = (socket: Socket, piece: number) => void

const accepts: Broker = (socket, piece) => {
  if (piece <= 2) socket.write(piece === 1 ? CONNACK : SUBACK)
}

/** How a broker fails, and what the session says of it. */
const FAILURES: readonly (readonly [Broker, string])[] = [
  [() => {}, 'the broker does not answer'],
  [(socket) => socket.write(CONNACK.subarray(0, 3)), 'the broker does not answer'],
  [(socket, piece) => piece === 1 && socket.write(CONNACK), 'the broker does not answer'],
  [(socket) => socket.write(Buffer.from([0x20, 2, 0, 5])), 'the broker refuses the account'],
  [(socket) => socket.destroy(), 'no connection: closed by the broker'],
  [accepts, 'the broker is silent'],
  [
    (socket, piece) => {
      accepts(socket, piece)
      if (piece === 2) socket.write(HALF_AN_ACK)
    },
    'the broker is silent',
  ],
  [
    (socket, piece) => {
      accepts(socket, piece)
      if (piece === 2) socket.pause()
    },
    'the broker does not read',
  ],
]

test('a broker that fails in any way never holds the program of a board', {
  skip: missing(PYTHON[0], '-c', 'pass'),
}, async (t) => {
  const ports = await Promise.all(
    FAILURES.map(([act]) =>
      listen(
        t,
        createServer((socket) => {
          let pieces = 0
          socket.on('data', () => act(socket, ++pieces))
        }),
      ),
    ),
  )
  const [python, ...options] = PYTHON
  const { stdout } = await promisify(execFile)(python, [...options, PROGRAM, ...ports.map(String)], {
    timeout: 60_000,
  })
  const lines = stdout.trim().split('\n')
  assert.deepEqual(
    lines.map((line) => line.split('|')[0]),
    FAILURES.map(([, problem]) => problem),
  )
  for (const line of lines) assert.ok(Number(line.split('|')[1]) < 1_000, line)
})
