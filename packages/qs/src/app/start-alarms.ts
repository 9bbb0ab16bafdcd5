import { accountingAlarm } from '../alarms/accounting-alarm.ts'
import { Alarms } from '../alarms/alarms.ts'
import { type BackupHealth, backupAlarm } from '../alarms/backup-alarm.ts'
import { connectionsAlarm, deafClientAlarm, retainedAlarm, sessionsAlarm } from '../alarms/broker-alarms.ts'
import { budgetAlarm } from '../alarms/budget-alarm.ts'
import { certificateAlarm } from '../alarms/certificate-alarm.ts'
import { channelAlarm } from '../alarms/channel-alarm.ts'
import { type ClockJump, clockAlarm } from '../alarms/clock-alarm.ts'
import { diskAlarm } from '../alarms/disk-alarm.ts'
import { qos0Alarm, willAlarm } from '../alarms/dropped-alarms.ts'
import { dropsAlarm, EMBEDDED_ADVICE } from '../alarms/drops-alarm.ts'
import { pausedAlarm, refusedAlarm, stalledAlarm } from '../alarms/flow-alarms.ts'
import { type DifferingHours, hoursAlarm } from '../alarms/hours-alarm.ts'
import { queueAlarm } from '../alarms/queue-alarm.ts'
import { type RoomState, roomAlarm } from '../alarms/room-alarm.ts'
import { quarantineAlarm, reconnectingAlarm } from '../alarms/source-alarms.ts'
import { type UnheardReadings, unheardAlarm } from '../alarms/unheard-alarm.ts'
import { secretReader } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import type { EmbeddedBroker } from '../embedded/broker/embedded-broker.ts'
import { BrokerCounts } from '../source/broker-counts.ts'
import { diskSpaceOf } from '../telemetry/disk-space.ts'
import type { Log } from '../telemetry/log.ts'
import type { Pipeline } from './pipeline.ts'

export interface RunningAlarms {
  /** The texts of active alarms, by name. */
  look(): ReadonlyMap<string, string>
  /** Messages that wait at the broker; null if unknown. */
  waiting(): number | null
  stop(): Promise<void>
}

export interface StartAlarmsOptions {
  readonly config: Config
  readonly mqttUrl: string
  /** The embedded broker, whose counts are read directly; if absent, the counts come from $SYS. */
  readonly embedded?:
    | Pick<
        EmbeddedBroker,
        'dropped' | 'waiting' | 'deaf' | 'refused' | 'sessionsRefused' | 'unretained' | 'certificateEndMs'
      >
    | undefined
  /** Events at an external broker, and who gets them. */
  readonly events?: Pick<UnheardReadings, 'published' | 'areOthersStoring'> | undefined
  /** If absent, hours are not compared with events. */
  readonly differingHours?: () => DifferingHours | null
  /** If absent, nothing is sealed or deleted. */
  readonly clockJump?: () => ClockJump | null
  readonly room?: () => RoomState | null
  /** If absent, no backups are scheduled. */
  readonly backups?: () => BackupHealth | null
  /** Channels of alerts that fail. */
  readonly brokenChannels?: Parameters<typeof channelAlarm>[0]
  readonly log: Log
}

/** The alarms of a pipeline: they only read existing counters and never touch an event. */
export function startAlarms(
  { accounting, budgets, metrics, status, refusal, typesAlarm }: Pipeline,
  { config, mqttUrl, embedded, events, log, ...readings }: StartAlarmsOptions,
): RunningAlarms {
  const {
    differingHours = () => null,
    clockJump = () => null,
    room = () => null,
    backups = () => null,
    brokenChannels = () => [],
  } = readings
  const counts = new BrokerCounts({
    url: mqttUrl,
    caFile: config.MQTT_CA_FILE,
    clientId: `${config.MQTT_CLIENT_ID}-sys`,
    username: config.MQTT_USERNAME,
    password: secretReader(config, 'MQTT_PASSWORD'),
    log: log.child({ stage: 'source' }),
  })
  const dropped = () => {
    const count = embedded === undefined ? counts.dropped : embedded.dropped
    metrics.brokerDropped.set(count ?? Number.NaN)
    return count
  }
  const alarms = new Alarms({
    alarms: [
      accountingAlarm({ accounting, unsettledMessages: () => status().unsettledMessages }),
      stalledAlarm({ accounting, status }),
      refusedAlarm(refusal),
      pausedAlarm({ accounting, status }),
      dropsAlarm(dropped, embedded && EMBEDDED_ADVICE),
      reconnectingAlarm({ status }),
      ...(events === undefined ? [] : [unheardAlarm({ accounting, status, ...events })]),
      quarantineAlarm({ status }),
      queueAlarm({ waiting: () => counts.waiting, status }),
      budgetAlarm(budgets),
      typesAlarm,
      hoursAlarm(differingHours),
      clockAlarm(clockJump),
      roomAlarm(room),
      backupAlarm(backups),
      channelAlarm(brokenChannels),
      ...(embedded === undefined
        ? []
        : [
            qos0Alarm(status),
            willAlarm(status),
            deafClientAlarm(() => embedded.deaf),
            connectionsAlarm(() => embedded.refused),
            sessionsAlarm(() => embedded.sessionsRefused),
            retainedAlarm(() => embedded.unretained),
            certificateAlarm(() => embedded.certificateEndMs),
            diskAlarm(() => diskSpaceOf(config.QS_DATA_DIR)),
          ]),
    ],
    metrics,
    log: log.child({ stage: 'alarms' }),
  })
  alarms.start()
  try {
    if (embedded === undefined) counts.start()
  } catch {
    // MQTT_CA_FILE cannot be read: the source reports this and ends the start.
  }
  return {
    look: () => alarms.look(performance.now()),
    waiting: () => (embedded === undefined ? counts.waiting : embedded.waiting),
    stop: async () => {
      alarms.stop()
      await counts.stop()
    },
  }
}
