import type { Overview } from '@qs-telemetry/protocol/api'

/** Whether the overview shows OK: events can arrive, and all devices and sensors that should send do. */
export function isAllWell({
  alarms,
  broker,
  devices,
}: Pick<Overview, 'alarms' | 'broker' | 'devices'>): boolean {
  const { silentTotal, silentSeriesTotal, quiet } = devices
  return broker.connected && alarms.length === 0 && silentTotal + silentSeriesTotal + quiet === 0
}
