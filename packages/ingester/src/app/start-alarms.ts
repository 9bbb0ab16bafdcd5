import { accountingAlarm } from '../alarms/accounting-alarm.ts'
import { Alarms } from '../alarms/alarms.ts'
import { budgetAlarm } from '../alarms/budget-alarm.ts'
import { dropsAlarm } from '../alarms/drops-alarm.ts'
import { pausedAlarm, refusedAlarm, stalledAlarm } from '../alarms/flow-alarms.ts'
import { queueAlarm } from '../alarms/queue-alarm.ts'
import { quarantineAlarm, reconnectingAlarm } from '../alarms/source-alarms.ts'
import type { Config } from '../config/settings.ts'
import { BrokerCounts } from '../source/broker-counts.ts'
import type { Log } from '../telemetry/log.ts'
import type { Pipeline } from './pipeline.ts'

export interface RunningAlarms {
  /** What is wrong now, by the name of the alarm. */
  look(): ReadonlyMap<string, string>
  /** Messages that wait at the broker; null: it does not say. */
  waiting(): number | null
  stop(): Promise<void>
}

export interface StartAlarmsOptions {
  readonly config: Config
  readonly mqttUrl: string
  readonly log: Log
}

/** The alarms of a pipeline: they read numbers that others keep, and touch nothing on the way of an event. */
export function startAlarms(
  { accounting, budgets, metrics, status, refusal, typesAlarm }: Pipeline,
  { config, mqttUrl, log }: StartAlarmsOptions,
): RunningAlarms {
  const counts = new BrokerCounts({
    url: mqttUrl,
    caFile: config.MQTT_CA_FILE,
    clientId: `${config.MQTT_CLIENT_ID}-sys`,
    username: config.MQTT_USERNAME,
    password: config.MQTT_PASSWORD,
    log: log.child({ stage: 'source' }),
  })
  const dropped = () => {
    metrics.brokerDropped.set(counts.dropped ?? Number.NaN)
    return counts.dropped
  }
  const alarms = new Alarms({
    alarms: [
      accountingAlarm({ accounting, unsettledMessages: () => status().unsettledMessages }),
      stalledAlarm({ accounting, status }),
      refusedAlarm(refusal),
      pausedAlarm({ accounting, status }),
      dropsAlarm(dropped),
      reconnectingAlarm({ status }),
      quarantineAlarm({ status }),
      queueAlarm({ waiting: () => counts.waiting, status }),
      budgetAlarm(budgets),
      typesAlarm,
    ],
    metrics,
    log: log.child({ stage: 'alarms' }),
  })
  alarms.start()
  try {
    counts.start()
  } catch {
    // MQTT_CA_FILE cannot be read: the source says so, and ends the start.
  }
  return {
    look: () => alarms.look(performance.now()),
    waiting: () => counts.waiting,
    stop: async () => {
      alarms.stop()
      await counts.stop()
    },
  }
}
