import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { FaultProxy, type ProxyObserver } from '../../src/verify/fault-proxy.ts'

/** One end of a connection, and what it has received. */
interface End {
  readonly socket: Socket
  heard: string
  hasEnded: boolean
  error: string | null
}

/** A silent server, the proxy in front of it, and what both ends of a connection receive. */
async function start(t: TestContext, observe?: ProxyObserver) {
  const served: End[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => served.push(endOf(t, socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port }, observe)
  t.after(async () => {
    await proxy.close()
    server.close()
  })
  const open = async () => {
    const count = served.length
    const number = proxy.accepted + 1
    const client = endOf(t, connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }))
    await until(() => proxy.accepted === number, 'the proxy has taken it')
    const peer = () => until(() => served[count], 'the server has the connection')
    return { client, peer }
  }
  const openBoth = async () => {
    const { client, peer } = await open()
    return { client, peer: await peer() }
  }
  return { proxy, served, server, open, openBoth }
}

function endOf(t: TestContext, socket: Socket): End {
  const end: End = { socket, heard: '', hasEnded: false, error: null }
  socket.on('data', (bytes: Buffer) => {
    end.heard += bytes.toString()
  })
  socket.on('end', () => {
    end.hasEnded = true
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end.error = error.code ?? error.message
  })
  t.after(() => socket.destroy())
  return end
}

const hears = (end: End, text: string) => until(() => end.heard === text, `"${text}" is received`)

/** Data that passed a healthy connection meanwhile also had time to pass a faulty one. */
async function afterAWhile({ openBoth }: Awaited<ReturnType<typeof start>>): Promise<void> {
  const { client, peer } = await openBoth()
  for (let turn = 0; turn < 3; turn++) {
    client.socket.write('?')
    await hears(peer, '?'.repeat(turn + 1))
    peer.socket.write('!')
    await hears(client, '!'.repeat(turn + 1))
  }
}

test('a good network passes bytes and end of stream, each way, and reports them', async (t) => {
  const seen: string[] = []
  const { openBoth } = await start(t, (connection, direction, bytes) =>
    seen.push(`${connection} ${direction} ${bytes}`),
  )
  const { client, peer } = await openBoth()
  client.socket.write('hello')
  await hears(peer, 'hello')
  peer.socket.end('hi')
  await until(() => client.hasEnded, 'the end')
  assert.equal(client.heard, 'hi')
  client.socket.end(' there')
  await until(() => peer.hasEnded, 'the other end')
  assert.equal(peer.heard, 'hello there')
  assert.deepEqual(seen, ['1 toServer hello', '1 toClient hi', '1 toServer  there'])
})

test('it is no faster than its slowest reader, and loses nothing', async (t) => {
  const { openBoth } = await start(t)
  const { client, peer } = await openBoth()
  peer.socket.pause()
  const total = 64 * 1024 * 1024
  let sent = 0
  while (client.socket.write('x'.repeat(1024 * 1024), () => sent++) || client.socket.writableLength < total);
  await until(() => sent > 0, 'the first is sent')
  assert.ok(sent < 40, `${sent} MiB went into a connection that nobody reads`)
  const expected = client.socket.bytesWritten
  client.socket.end()
  peer.socket.resume()
  await until(() => peer.hasEnded, 'the end')
  assert.equal(peer.heard.length, expected)
})

test('delay: in order, and no sooner', async (t) => {
  const { proxy, openBoth } = await start(t)
  const { client, peer } = await openBoth()
  proxy.set({ kind: 'delay', ms: 100 })
  const began = performance.now()
  client.socket.write('slow')
  await hears(peer, 'slow')
  assert.ok(performance.now() - began >= 99)
  client.socket.write(' and')
  await until(() => client.socket.writableLength === 0, 'it is in transit')
  proxy.heal()
  client.socket.end(' steady')
  await until(() => peer.hasEnded, 'the end')
  assert.equal(peer.heard, 'slow and steady')
})

test('black hole: accepts everything, reports nothing, and delivers everything late', async (t) => {
  const stage = await start(t)
  const { proxy, served, openBoth, open } = stage
  const old = await openBoth()
  const ended = await openBoth()
  proxy.set({ kind: 'silent' })
  const young = await open()
  for (const { socket } of [old.client, old.peer, young.client]) socket.write('late')
  ended.client.socket.end()
  young.client.socket.end()
  await until(() => old.client.socket.writableLength === 0, 'the kernel has taken it')
  assert.equal(old.client.heard + old.peer.heard, '')
  assert.equal(served.length, 2)
  proxy.heal()
  await hears(old.peer, 'late')
  await hears(old.client, 'late')
  await hears(await young.peer(), 'late')
  await until(() => ended.peer.hasEnded, 'the end comes late as well')
})

test('black hole: a forgotten connection never carries another byte', async (t) => {
  const stage = await start(t)
  const { proxy, openBoth, open } = stage
  const { client, peer } = await openBoth()
  proxy.set({ kind: 'silent' })
  const young = await open()
  for (const { socket } of [client, peer, young.client]) socket.write('lost')
  proxy.heal('forgotten')
  for (const { socket } of [client, young.client]) socket.end('lost too')
  await afterAWhile(stage)
  assert.equal(client.heard + peer.heard + young.client.heard, '')
  assert.ok(!peer.hasEnded && !client.hasEnded)
  assert.deepEqual([client.error, peer.error, young.client.error], [null, null, null])
  assert.equal(stage.served.length, 2, 'the server never saw the one that was opened in the black hole')
})

for (const direction of ['toServer', 'toClient'] as const) {
  test(`one direction only: silent ${direction}, and the other works`, async (t) => {
    const { proxy, openBoth } = await start(t)
    const { client, peer } = await openBoth()
    const [deaf, hearing] = direction === 'toServer' ? [peer, client] : [client, peer]
    proxy.set({ kind: 'silent', direction })
    for (const { socket } of [client, peer]) socket.write('x')
    await hears(hearing, 'x')
    assert.equal(deaf.heard, '')
    deaf.socket.write('y'.repeat(1024 * 1024))
    await until(() => hearing.heard.length >= 64 * 1024, 'some of it')
    await afterAWhile(await start(t))
    assert.ok(hearing.heard.length < 256 * 1024, 'its sender waits for acknowledgements')
    // A reset would also have to travel.
    hearing.socket.resetAndDestroy()
    proxy.heal()
    await until(() => deaf.error === 'ECONNRESET', 'the reset comes late')
  })
}

test('reset: both ends get an RST; new connections work', async (t) => {
  const stage = await start(t)
  const { client, peer } = await stage.openBoth()
  stage.proxy.reset()
  await until(() => client.error === 'ECONNRESET' && peer.error === 'ECONNRESET', 'both are reset')
  await afterAWhile(stage)
})

for (const side of ['client', 'server'] as const) {
  test(`half open: the ${side} never learns that the other side is gone`, async (t) => {
    const stage = await start(t)
    const { client, peer } = await stage.openBoth()
    const [kept, gone] = side === 'client' ? [client, peer] : [peer, client]
    stage.proxy.leaveHalfOpen(side)
    await until(() => gone.error === 'ECONNRESET', 'the other is gone')
    kept.socket.write('is anybody there?')
    await afterAWhile(stage)
    assert.equal(kept.heard, '')
    assert.ok(!kept.hasEnded)
    assert.equal(kept.error, null)
  })
}

test('refuse: new connections are reset, current ones live', async (t) => {
  const { proxy, openBoth, server } = await start(t)
  const { client, peer } = await openBoth()
  proxy.set({ kind: 'refuse' })
  const refused = endOf(t, connect(proxy.port, '127.0.0.1'))
  await until(() => refused.error === 'ECONNRESET', 'refused')
  client.socket.write('still here')
  await hears(peer, 'still here')
  proxy.heal()
  await openBoth()

  server.close()
  const nobody = endOf(t, connect(proxy.port, '127.0.0.1'))
  await until(() => nobody.error === 'ECONNRESET', 'a server that is not there resets as well')
})
