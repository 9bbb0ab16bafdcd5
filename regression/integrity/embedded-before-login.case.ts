import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openEmbeddedStage } from './embedded-stage.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'

const CALM = { devices: 5, eventsPerSecond: 100, resendAfterMs: 30_000 }
const CONNECTIONS = 300
const RUN_MS = scale(30_000, 6_000)
/** CONNECT with a remaining length of 16 MiB. */
const HEADER = Buffer.from([0x10, 0x80, 0x80, 0x80, 0x08])
const FILLING = Buffer.alloc(1024 * 1024, 'x')

test('embedded broker: 300 connections that announce a CONNECT of 16 MiB cost neither memory nor events', async (t) => {
  const stage = await openEmbeddedStage(t, {
    fault: `embedded: ${CONNECTIONS} connections with a CONNECT of 16 MiB, again and again`,
    fleet: CALM,
  })
  await stage.more(300)
  const before = stage.ingester.memory()
  const attack = announce(t, stage.port)
  await lasting(RUN_MS)
  const opened = attack.stop()
  await stage.more(300)
  await stage.finish()
  t.diagnostic(
    `${opened} connections; ${Math.round(before?.peakMb ?? 0)} MB before them, ${Math.round(stage.ingester.memory()?.peakMb ?? 0)} MB at most`,
  )
  assert.ok(opened >= CONNECTIONS)
})

/** Keeps CONNECTIONS connections open, each sending as much of its CONNECT as the broker reads. */
function announce(t: TestContext, port: number): { stop(): number } {
  let [isStopped, opened] = [false, 0]
  const ends = new Set<() => void>()
  const open = () => {
    if (isStopped) return
    opened++
    const socket = connect(port, '127.0.0.1')
    // An unread socket never sees that the broker has closed it.
    socket.resume()
    const end = () => socket.destroy()
    ends.add(end)
    socket.on('error', () => {})
    socket.once('connect', () => {
      socket.write(HEADER)
      for (let sent = 0; sent < 16; sent++) socket.write(FILLING)
    })
    socket.once('close', () => {
      ends.delete(end)
      setTimeout(open, 500)
    })
  }
  for (let n = 0; n < CONNECTIONS; n++) open()
  const stop = () => {
    isStopped = true
    for (const end of ends) end()
    return opened
  }
  t.after(stop)
  return { stop }
}
