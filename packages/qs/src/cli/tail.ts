import { ackFor, ackTopic, type DeadLetter, topicMatches } from '@qs-telemetry/protocol'
import type { Command } from 'commander'
import pc from 'picocolors'
import { loadConfig } from '../config/load.ts'
import { oneLine, visible } from '../telemetry/visible.ts'
import { watchTopics } from './watch-topics.ts'

interface Options {
  readonly device: string
  readonly json?: true
}

export function registerTail(program: Command): void {
  program
    .command('tail')
    .description('watch events, device acks and dead letters as they pass')
    .option('--device <id>', 'only this device; dead letters of all devices are shown', '+')
    .option('--json', 'print {"topic":…,"payload":…} for each message')
    .addHelpText('after', '\nCtrl-C ends it. The ingester still gets every message.')
    .action(async ({ device, json }: Options) => {
      const config = loadConfig()
      const topics = {
        event: config.MQTT_EVENTS_TOPIC.topicOf(device),
        ack: ackTopic(config.ACK_TEMPLATE, device),
        dead: config.MQTT_DEADLETTER_TOPIC,
      }
      if (!json) console.error(pc.dim(`watching ${Object.values(topics).join(', ')}`))
      await watchTopics(config, Object.values(topics), (topic, payload) => {
        if (json) console.log(JSON.stringify({ topic, payload: payload.toString() }))
        else if (topicMatches(topics.ack, topic)) printDeviceAcks(topic, payload)
        else if (topic === topics.dead) printDeadLetter(payload)
        else console.log(`${pc.cyan('event ')} ${visible(topic)} ${oneLine(payload.toString())}`)
      })
    })
}

function printDeviceAcks(topic: string, payload: Buffer): void {
  const acks = ackFor(payload)
  if (acks === null)
    return console.log(`${pc.red('ack   ')} ${visible(topic)} ${oneLine(payload.toString())}`)
  for (const { event_id: eventId, status, error, warning } of acks) {
    const colour = status === 'rejected' ? pc.red : pc.green
    const reason = error ?? warning
    console.log(
      `${colour('ack   ')} ${visible(`${topic} ${eventId ?? '–'} ${status}${reason ? ` ${reason.code}` : ''}`)}`,
    )
  }
}

function printDeadLetter(payload: Buffer): void {
  const { code, error, topic, payload: original } = JSON.parse(payload.toString()) as DeadLetter
  console.log(
    `${pc.red('dead  ')} ${oneLine(`${topic} ${code}: ${error}`, 2_000)}\n       ${pc.dim(oneLine(original))}`,
  )
}
