import type { Overview } from '@qs-telemetry/protocol/api'

/** Whether the overview may say OK: events can arrive, and nothing that should send is quiet. */
export function isAllWell({
  alarms,
  broker,
  devices,
}: Pick<Overview, 'alarms' | 'broker' | 'devices'>): boolean {
  const { silentTotal, silentSeriesTotal, quiet } = devices
  return broker.connected && alarms.length === 0 && silentTotal + silentSeriesTotal + quiet === 0
}
