import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { ConsoleFront } from '../../../src/console/process/console-front.ts'
import type { Place } from '../../../src/console/process/console-process.ts'
import { trustedPeer } from '../../../src/console/trusted-peer.ts'
import { startHttp } from '../../../src/http/server.ts'
import { withResolvers } from '../../../src/pipeline/promises.ts'

const [OF_ADDRESS, ALL] = [64, 256]
/** POST /api/logout needs no login; its body never arrives. */
const WITHOUT_END = 'POST /api/logout HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n'
const GET = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'

interface Options {
  /** Resolves when the console has started. Default: at once. */
  readonly started?: Promise<void>
  readonly proxies?: string
  readonly requestTimeoutMs?: number
}

/** A front with a console that answers only GET /. */
async function startFront(t: TestContext, { started, proxies, ...options }: Options = {}) {
  let asked = 0
  let reached = 0
  const behind = createServer((request, response) => {
    reached++
    if (request.url === '/') response.end('here')
  })
  await once(behind.listen(0, '127.0.0.1'), 'listening')
  const place: Place = { port: (behind.address() as AddressInfo).port, token: 'secret' }
  const process = {
    isClosing: false,
    place: async () => {
      asked++
      await started
      return place
    },
  }
  const port = await freePort()
  const console = new ConsoleFront({ process, isProxy: trustedPeer(proxies ?? null), onFault: () => {} })
  const health = { checks: {}, failure: () => null, metrics: async () => ({ contentType: '', text: '' }) }
  const http = await startHttp({ ...health, ...options, onFault: () => {}, host: '127.0.0.1', port, console })
  t.after(async () => {
    behind.close()
    behind.closeAllConnections()
    await http.close(async () => {})
  })
  return {
    asked: () => asked,
    reached: () => reached,
    /** Opens a connection, sends the bytes and reads what comes. */
    open: (bytes: string, localAddress = '127.0.0.1') => {
      const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {})
      socket.write(bytes)
      return socket.resume()
    },
    ask: (localAddress = '127.0.0.1') =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        get({ port, host: '127.0.0.1', localAddress, agent: false }, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
        }).on('error', reject)
      }),
  }
}

test('clients that leave while the console starts leave room for later ones', async (t) => {
  const { promise: started, resolve: start } = withResolvers<void>()
  const front = await startFront(t, { started })
  const sockets = Array.from({ length: ALL }, (_, index) => front.open(GET, `127.0.0.${2 + (index % 8)}`))
  await until(() => front.asked() === ALL, 'every request waits for the console')
  assert.equal((await front.ask()).status, 503)
  for (const socket of sockets) socket.destroy()
  await until(() => {
    front.open(GET)
    return front.asked() > ALL
  }, 'there is room again, before the console has started')
  start()
  assert.equal((await front.ask()).status, 200)
  assert.ok(front.reached() < ALL, 'requests of clients that left do not reach the console')
})

test('so does a client that leaves with pipelined requests', async (t) => {
  const front = await startFront(t)
  const socket = front.open(GET.repeat(OF_ADDRESS))
  await until(() => front.reached() === OF_ADDRESS, 'the console has them all')
  assert.equal((await front.ask()).status, 503)
  socket.destroy()
  await until(async () => (await front.ask()).status === 200, 'there is room again')
  const before = front.reached()
  front.open(GET.repeat(OF_ADDRESS / 2))
  await until(() => front.reached() === before + OF_ADDRESS / 2, 'there is room for many')
})

test('an address with unfinished requests leaves the console to others', async (t) => {
  const front = await startFront(t)
  for (let index = 0; index < OF_ADDRESS; index++) front.open(WITHOUT_END, '127.0.0.2')
  await until(() => front.asked() === OF_ADDRESS, 'all are in progress')
  const refused = await front.ask('127.0.0.2')
  assert.equal(refused.status, 503)
  assert.match(refused.body, /127\.0\.0\.2 already has 64 open requests.*HTTP_TRUSTED_PROXIES/)
  assert.deepEqual(await front.ask('127.0.0.3'), { status: 200, body: 'here' })
})

test('a trusted proxy has no limit per address', async (t) => {
  const front = await startFront(t, { proxies: '192.0.2.1, 127.0.0.2/31' })
  for (let index = 0; index < OF_ADDRESS; index++) front.open(WITHOUT_END, '127.0.0.2')
  await until(() => front.asked() === OF_ADDRESS, 'all are in progress')
  assert.equal((await front.ask('127.0.0.2')).status, 200)
})

test('an unfinished request times out', async (t) => {
  const front = await startFront(t, { requestTimeoutMs: 300 })
  await once(front.open(WITHOUT_END), 'close')
})
