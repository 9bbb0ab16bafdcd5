import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { leash } from '@qs-telemetry/testing/leash.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import { connect, credentials, received, start, tcp } from './connecting.ts'

const PYTHON = '/usr/bin/python3'

/** Why tests with a program are skipped, or false. In CI, a missing program is a failure. */
function missing(what: string, command: string, ...args: readonly string[]): string | false {
  const { error, status } = spawnSync(command, args)
  if (error === undefined && status === 0) return false
  if (process.env.CI) throw new Error(`${what} is not installed, and CI must not skip its tests`)
  return `${what} is not installed`
}

// --help exits with 1 by design, so the program is looked up through the shell.
const noMosquitto = missing(
  'mosquitto-clients',
  'sh',
  '-c',
  'command -v mosquitto_pub && command -v mosquitto_sub',
)
const noPaho = missing('python3-paho-mqtt', PYTHON, '-c', 'from paho.mqtt.properties import Properties')

interface Program {
  readonly lines: readonly string[]
  readonly ended: Promise<number | null>
}

function run(t: TestContext, command: string, args: readonly string[]): Program {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  leash(child)
  t.after(() => child.kill('SIGKILL'))
  const program = {
    output: '',
    get lines() {
      return this.output.split('\n').slice(0, -1)
    },
    ended: new Promise<number | null>((resolve) => child.once('close', resolve)),
  }
  child.stdout?.on('data', (chunk) => {
    program.output += chunk
  })
  return program
}

const mosquitto = (broker: EmbeddedBroker) => [
  ...['-V', 'mqttv5', '-h', '127.0.0.1', '-p', String(broker.port)],
  ...['-u', credentials.username, '-P', credentials.password],
]

for (const qos of ['0', '1', '2'] as const) {
  test(`mosquitto_pub and mosquitto_sub speak MQTT 5 with QoS ${qos}`, { skip: noMosquitto }, async (t) => {
    const broker = await start(t, { credentials })
    const observer = await connect(t, tcp(broker), credentials)
    const messages = received(observer)
    await observer.subscribeAsync('qs/#', { qos: 2 })
    const args = ['-t', 'qs/retained', '-m', 'r', '-r', '-D', 'publish', 'user-property', 'a', 'b']
    assert.equal(await run(t, 'mosquitto_pub', [...mosquitto(broker), '-q', qos, ...args]).ended, 0)
    const subscriber = run(t, 'mosquitto_sub', [
      ...mosquitto(broker),
      ...['-q', qos, '-t', 'qs/#', '-C', '51', '-F', '%t %p %r %P'],
      ...['-D', 'connect', 'receive-maximum', '5'],
    ])
    await until(() => subscriber.lines.length === 1, 'the retained message')
    const repeated = ['-t', 'qs/live', '-m', 'x', '--repeat', '50', '--repeat-delay', '0']
    assert.equal(await run(t, 'mosquitto_pub', [...mosquitto(broker), '-q', qos, ...repeated]).ended, 0)
    assert.equal(await subscriber.ended, 0)
    assert.equal(subscriber.lines[0], 'qs/retained r 1 a:b')
    assert.deepEqual(new Set(subscriber.lines.slice(1)), new Set(['qs/live x 0 ']))
    await until(() => messages.length === 51, 'a client of 3.1.1 gets them too')
  })
}

test('mosquitto_sub resumes its session', { skip: noMosquitto }, async (t) => {
  const broker = await start(t, { credentials })
  const session = [...mosquitto(broker), '-i', 'away', '-c', '-x', '60', '-q', '1', '-t', 't']
  assert.equal(await run(t, 'mosquitto_sub', [...session, '-E']).ended, 0)
  const publisher = await connect(t, tcp(broker), credentials)
  for (const payload of ['a', 'b']) await publisher.publishAsync('t', payload, { qos: 1 })
  const back = run(t, 'mosquitto_sub', [...session, '-C', '2'])
  assert.equal(await back.ended, 0)
  assert.deepEqual(back.lines, ['a', 'b'])
})

test('mosquitto_pub gets the reason for a refusal', { skip: noMosquitto }, async (t) => {
  const broker = await start(t, { credentials })
  const refused = run(t, 'sh', [
    '-c',
    'exec mosquitto_pub "$@" 2>&1',
    'mosquitto_pub',
    ...mosquitto(broker).slice(0, -1),
    ...['wrong', '-t', 't', '-m', 'x'],
  ])
  assert.notEqual(await refused.ended, 0)
  assert.match(refused.lines.join(), /Not authorized|bad user/i)
})

/** Publishes to itself with each QoS in a resumed session; prints what it receives. */
const PAHO = `
import sys, time
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

transport, port, username, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
expiry = Properties(PacketTypes.CONNECT)
expiry.SessionExpiryInterval = 60
expiry.ReceiveMaximum = 4
shape = Properties(PacketTypes.PUBLISH)
shape.UserProperty = ("room", "kitchen")
shape.MessageExpiryInterval = 60
got, acked = [], []

def connected(client, userdata, flags, reason, properties):
    print("connected", flags["session present"], reason, flush=True)

def keep(client, userdata, message):
    got.append((message.payload.decode(), message.qos, message.properties.UserProperty))

def client():
    made = mqtt.Client(client_id="paho", protocol=mqtt.MQTTv5, transport=transport)
    made.username_pw_set(username, password)
    made.will_set("gone", "x", 1, False, Properties(PacketTypes.WILLMESSAGE))
    made.on_connect = connected
    made.on_subscribe = lambda c, u, mid, codes, properties: acked.append(codes)
    made.on_message = keep
    return made

def wait(check):
    deadline = time.time() + 10
    while not check():
        if time.time() > deadline:
            sys.exit("waited in vain, got %r" % got)
        time.sleep(0.01)

first = client()
first.connect("127.0.0.1", port, clean_start=True, properties=expiry)
first.loop_start()
first.subscribe([("t/#", mqtt.SubscribeOptions(qos=2))])
wait(lambda: acked)
infos = [first.publish("t/x", str(i), qos=i % 3, properties=shape) for i in range(30)]
for info in infos:
    info.wait_for_publish(10)
wait(lambda: len(got) == 30)
first.disconnect()
first.loop_stop()
second = client()
second.connect("127.0.0.1", port, clean_start=False, properties=expiry)
second.loop_start()
wait(lambda: second.is_connected())
second.publish("t/y", "last", qos=2, properties=shape).wait_for_publish(10)
wait(lambda: len(got) == 31)
second.disconnect()
second.loop_stop()
for message in got:
    print(*message, flush=True)
`

for (const transport of ['tcp', 'websockets'] as const) {
  test(`paho of Python speaks MQTT 5 over ${transport}`, { skip: noPaho }, async (t) => {
    const broker = await start(t, { credentials })
    const port = transport === 'tcp' ? broker.port : broker.wsPort
    const login = [credentials.username, credentials.password]
    const program = run(t, PYTHON, ['-c', PAHO, transport, String(port), ...login])
    assert.equal(await program.ended, 0)
    const sent = Array.from({ length: 30 }, (_, i) => `${i} ${i % 3} [('room', 'kitchen')]`)
    assert.deepEqual(program.lines.slice(0, 2), ['connected 0 Success', 'connected 1 Success'])
    assert.deepEqual([...program.lines.slice(2, -1)].sort(), sent.sort())
    assert.equal(program.lines.at(-1), "last 2 [('room', 'kitchen')]")
  })
}
