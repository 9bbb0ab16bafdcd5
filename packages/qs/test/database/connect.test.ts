import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import { test } from 'node:test'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { connect } from '../../src/database/connect.ts'
import type { ServerSession } from '../../src/database/server-session.ts'
import { FaultProxy } from '../../src/verify/fault-proxy.ts'

test('a connection terminates the session of its predecessor, whose transaction would block it', async (t) => {
  const url = new URL(await freshDatabase(t))
  const database = new pg.Client({ connectionString: url.href })
  await database.connect()
  await database.query('create table things (id text primary key)')
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) })
  url.port = String(proxy.port)
  const ended = new Set<ServerSession>()
  const options = { url: url.href, name: 'qs-connect-test', connectTimeoutMs: 5_000 }
  const INSERT = { text: `insert into things values ('a')` }

  const bystander = await connect(options)
  const first = await connect(options, ended)
  t.after(async () => {
    await proxy.close()
    await database.end()
  })
  await first.query({ text: 'begin' })
  await first.query(INSERT)
  proxy.set({ kind: 'silent' })
  first.destroy()
  await until(() => ended.size === 1, 'the client side has ended')
  proxy.heal('forgotten')

  const second = await connect(options, ended)
  await second.query(INSERT)
  assert.equal(ended.size, 0)
  const { rows } = await database.query(
    `select count(*)::int as sessions from pg_stat_activity where application_name = 'qs-connect-test'`,
  )
  assert.deepEqual(
    rows,
    [{ sessions: 2 }],
    'the session of another connection is left alone, though it is dead as well',
  )
  bystander.destroy()
  second.destroy()
})

test('a slow server that responds gets more time, and a silent one is given up with a clear message', async (t) => {
  const url = new URL(await freshDatabase(t))
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) })
  t.after(() => proxy.close())
  url.port = String(proxy.port)
  proxy.set({ kind: 'delay', ms: 200 })
  const startMs = performance.now()
  const connection = await connect({ url: url.href, name: 'qs-connect-test', connectTimeoutMs: 1_000 })
  assert.ok(performance.now() - startMs > 1_000, 'all responses together take longer than the limit for one')
  connection.destroy()

  proxy.set({ kind: 'silent' })
  const silent = connect({ url: url.href, name: 'qs-connect-test', connectTimeoutMs: 300 })
  await assert.rejects(silent, /PostgreSQL sent nothing for 300 ms/)
})

test('all that is sent in one turn leaves in one write, a COPY with its rows included', async (t) => {
  const url = new URL(await freshDatabase(t))
  let reads = 0
  const relay = createServer((client) => {
    const server = connectTcp(Number(url.port), url.hostname)
    client.on('data', () => reads++)
    client.pipe(server).pipe(client)
    client.on('close', () => server.destroy())
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.after(() => relay.close())
  const { port: detourPort } = relay.address() as AddressInfo
  const connection = await connect({ url: url.href, name: 'test', connectTimeoutMs: 5_000, detourPort })
  await connection.query({ text: 'create table things (id text primary key)' })
  reads = 0
  const answers = await Promise.all([
    connection.query({ text: 'begin' }),
    connection.copy({ text: 'copy things from stdin', data: Buffer.from('a\nb\n') }),
    connection.query({ text: 'select count(*)::int as things from things where id > $1', values: [''] }),
    connection.query({ text: 'commit' }),
  ])
  assert.equal(answers[1], 2)
  assert.deepEqual(answers[2].rows, [{ things: 2 }])
  assert.equal(reads, 1)
  connection.destroy()
})
