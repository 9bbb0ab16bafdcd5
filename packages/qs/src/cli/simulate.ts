import { type DeviceCounts, simulate } from '@qs-telemetry/device'
import type { Command } from 'commander'
import { duration, integer, number } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { brokerError } from '../endpoints/broker-error.ts'
import { brokerOptions, topicOptions } from '../endpoints/broker-options.ts'
import { findMqttUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'

interface Options {
  readonly devices: number
  readonly interval: number
  readonly duration?: number
  readonly events?: number
  readonly speed: number
  readonly seed: number
  readonly prefix: string
  readonly clockless: number
  readonly broken: number
  readonly json?: true
}

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('simulate devices: plausible sensors, offline phases, drifting clocks and clocks in 1970')
    .option('--devices <n>', 'number of devices', parseWith(integer(1, 100_000)), 10)
    .option(
      '--interval <time>',
      'time between two reports of a device',
      parseWith(duration('1ms', '365d')),
      10_000,
    )
    .option(
      '--duration <time>',
      'simulated time; without it, until Ctrl-C',
      parseWith(duration('1s', '3650d')),
    )
    .option('--events <n>', 'stop after n events', parseWith(integer(1, 1_000_000_000)))
    .option(
      '--speed <n>',
      'simulated seconds per second; needs --duration, since simulated time starts in the past and ends now',
      parseWith(number(0.001, 1_000_000)),
      1,
    )
    .option('--seed <n>', 'same seed, start and settings: same events', parseWith(integer(0, 2 ** 31)), 1)
    .option('--prefix <text>', 'prefix of the device ids', 'sim-')
    .option(
      '--clockless <share>',
      'share of devices without a clock, 0 to 1: they send age_ms, not ts_device',
      parseWith(number(0, 1)),
      0,
    )
    .option(
      '--broken <share>',
      'share of reports that come with a broken message, 0 to 1',
      parseWith(number(0, 1)),
      0,
    )
    .option('--json', 'print the counts as JSON')
    .addHelpText(
      'after',
      `
One fifth of the devices goes offline now and then, one fifth has a drifting clock, one fifth a clock that starts in
1970. Events of devices without a clock (--clockless) keep their spacing through an offline phase by age_ms.
Each device keeps an event until its device ack, as a real device does.

Examples
  qs simulate                                        ten devices, until Ctrl-C
  qs simulate --devices 30 --duration 1d --speed 50000   the last day of thirty devices: half a million events
  qs simulate --devices 1000 --duration 1h --speed 1000 --broken 0.01
  qs simulate --clockless 1                          all boards without a clock`,
    )
    .action(async (options: Options) => {
      if (options.speed > 1 && options.duration === undefined) {
        throw new QsError(
          'WRONG_USAGE',
          '--speed needs --duration: simulated time starts in the past and ends now',
        )
      }
      const config = loadConfig()
      const simulation = simulate({
        broker: brokerOptions(config),
        ...topicOptions(config),
        devices: options.devices,
        intervalMs: options.interval,
        speed: options.speed,
        seed: options.seed,
        timeZone: config.DEVICE_TIMEZONE,
        devicePrefix: options.prefix,
        faults: { clockless: options.clockless, broken: options.broken },
        ...(options.duration !== undefined && { durationMs: options.duration }),
        ...(options.events !== undefined && { events: options.events }),
      })
      const stop = () => void simulation.stop()
      process.once('SIGINT', stop).once('SIGTERM', stop)
      const bar = progress('device acks')
      const timer = setInterval(() => {
        const { stored, duplicate, rejected, waiting } = simulation.counts()
        const answered = stored + duplicate + rejected
        bar.update(answered, Math.max(options.events ?? 0, answered + waiting))
      }, 250)
      const counts = await simulation.done
        .catch((error: Error) => {
          throw brokerError(findMqttUrl(config), error)
        })
        .finally(() => {
          clearInterval(timer)
          bar.stop()
        })
      report(counts, options.json ?? false)
    })
}

function report(counts: DeviceCounts, json: boolean): void {
  const { sent, stored, duplicate, rejected, waiting } = counts
  if (json) console.log(JSON.stringify(counts))
  else
    console.log(
      `${sent} events sent: ${stored} stored, ${duplicate} duplicate, ${rejected} rejected, ${waiting} without device ack`,
    )
  if (waiting > 0) process.exitCode = 1
}
