import { connect } from 'node:net'
import mqttPacket from 'mqtt-packet'
import { pino } from 'pino'
import { startEmbeddedBroker } from '../../src/broker/embedded-broker.ts'
const crashes = new Map<string, number>()
process.on('uncaughtException', (e) => { const k = (e.stack ?? String(e)).split('\n').slice(0, 4).join('|'); if (!crashes.has(k)) console.log('CRASH', k, last); crashes.set(k, (crashes.get(k) ?? 0) + 1) })
process.on('unhandledRejection', (e: any) => { const k = 'UNHANDLED ' + (e?.stack ?? String(e)).split('\n').slice(0, 4).join('|'); if (!crashes.has(k)) console.log('CRASH', k, last); crashes.set(k, (crashes.get(k) ?? 0) + 1) })
let last = ''
let seed = Number(process.argv[2] ?? 1)
const rnd = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff }
const pick = <T>(a: T[]): T => a[Math.floor(rnd() * a.length)] as T
const topics = ['a/b', '', '#', '+', 'a/#', 'a/+/b', '$SYS/x', 'x'.repeat(2000), 'constructor', '__proto__', '/'.repeat(150), '\u0000', 'a\ud800', 'toString/valueOf', '$share/g/t', '$share//', '$share/g']
const b = await startEmbeddedBroker({ host: '127.0.0.1', port: 0, wsPort: 0, credentials: null, maxPacketBytes: 100_000, log: pino({ level: 'silent' }) })
function packet(): any {
  const messageId = Math.floor(rnd() * 5)
  const qos = pick([0, 1, 2]) as any
  switch (Math.floor(rnd() * 12)) {
    case 0: case 1: case 2: return { cmd: 'publish', topic: pick(topics), payload: pick(['', 'x', 'y'.repeat(3000)]), qos, retain: rnd() < 0.3, dup: rnd() < 0.3, messageId: messageId || 1 }
    case 3: case 4: return { cmd: 'subscribe', messageId: messageId || 1, subscriptions: [{ topic: pick(topics), qos }, { topic: pick(topics), qos }] }
    case 5: return { cmd: 'unsubscribe', messageId: messageId || 1, unsubscriptions: [pick(topics)] }
    case 6: return { cmd: pick(['puback', 'pubrec', 'pubrel', 'pubcomp']), messageId: messageId || 1 }
    case 7: return { cmd: 'pingreq' }
    case 8: return { cmd: 'disconnect' }
    case 9: return con()
    case 10: return { cmd: 'connack', returnCode: 0, sessionPresent: false }
    default: return { cmd: 'suback', messageId: 1, granted: [0] }
  }
}
function con(): any { return { cmd: 'connect', protocolId: 'MQTT', protocolVersion: pick([4, 4, 4, 4, 3, 5]), clean: rnd() < 0.5, clientId: pick(['a', 'b', '__proto__', 'constructor', '', 'c', 'd', 'e']), keepalive: pick([0, 1, 60]), username: pick([undefined, 'u']), password: undefined, ...(rnd() < 0.3 ? { will: { topic: pick(topics) || 'w', payload: Buffer.from('w'), qos: pick([0, 1, 2]) as any, retain: rnd() < 0.5 } } : {}) } }
const gen = (p: any): Buffer => { try { return mqttPacket.generate(p, { protocolVersion: 4 } as any) as Buffer } catch { return Buffer.alloc(0) } }
const N = Number(process.argv[3] ?? 3000)
let active = 0, ok = 0
for (let i = 0; i < N; i++) {
  const bufs = [rnd() < 0.9 ? gen(con()) : gen(packet())]
  const n = Math.floor(rnd() * 15)
  for (let j = 0; j < n; j++) bufs.push(gen(packet()))
  const buf = Buffer.concat(bufs)
  if (rnd() < 0.6) { const m = Math.ceil(rnd() * 4); for (let j = 0; j < m; j++) { const at = Math.floor(rnd() * buf.length); if (at < buf.length) buf[at] = Math.floor(rnd() * 256) } }
  last = `seed conn ${i}`
  active++
  const s = connect(b.port, '127.0.0.1')
  s.on('error', () => {})
  s.on('data', (d) => { if (d[0] === 0x20 && d[3] === 0) { ok++; if (late) { s.write(buf.subarray(first)); late = false } } })
  s.on('close', () => active--)
  const first = bufs[0]!.length
  let late = rnd() < 0.5
  s.write(late ? buf.subarray(0, first) : buf)
  setTimeout(() => { rnd() < 0.5 ? s.destroy() : s.end() }, Math.floor(rnd() * 30))
  if (i % 20 === 0) await new Promise((r) => setTimeout(r, 15))
}
await new Promise((r) => setTimeout(r, 2000))
console.log('active', active, 'connacks', ok, crashes)
await b.stop(); console.log('stopped')
process.exit(0)
