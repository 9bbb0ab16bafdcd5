import type { EventPage, StoredEvent } from '@qs-telemetry/protocol/api'
import { areStates, type StateChange, stateKind } from '../charts/states.ts'
import { get } from './request.ts'

/** Of one series: enough to tell states from messages; and what a chart of states shows at most. */
const [SAMPLE, MOST_CHANGES] = [30, 500]

export interface SeriesName {
  readonly deviceId: string
  readonly eventType: string
}

const changeOf = ({ ts, valueText, valueNum }: StoredEvent): StateChange => ({
  time: Date.parse(ts) / 1000,
  text: valueText ?? (valueNum === null ? null : String(valueNum)),
})

/** Which types of a device have texts that are states, whatever range is shown. */
export async function stateTypes(
  deviceId: string,
  types: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const are = await Promise.all(
    types.map(async (type) => {
      const texts = await newestTexts({ deviceId, eventType: type }, signal)
      return areStates(texts.map(({ valueText }) => valueText ?? ''))
    }),
  )
  return types.filter((_, index) => are[index])
}

/** Those of the series without numbers in the range that are states, and whether their states are texts. */
export async function stateSeries(
  names: readonly SeriesName[],
  signal: AbortSignal,
): Promise<readonly (SeriesName & { readonly hasTexts: boolean })[]> {
  const found = await Promise.all(
    names.map(async ({ deviceId, eventType }) => {
      const texts = await newestTexts({ deviceId, eventType }, signal)
      const query = { device: deviceId, type: eventType, limit: 1 }
      const latest = texts.length > 0 ? [] : (await get<EventPage>('/api/events', query, signal)).events
      const kind = stateKind({ texts, latest: latest[0] })
      return kind === null ? [] : [{ deviceId, eventType, hasTexts: kind === 'texts' }]
    }),
  )
  return found.flat()
}

async function newestTexts({ deviceId, eventType }: SeriesName, signal: AbortSignal) {
  const query = { device: deviceId, type: eventType, texts: true, limit: SAMPLE }
  return (await get<EventPage>('/api/events', query, signal)).events
}

/** The last state before a range: it goes on into it. */
export async function stateBefore(
  { deviceId, eventType, hasTexts }: SeriesName & { readonly hasTexts: boolean },
  from: string,
  signal: AbortSignal,
): Promise<readonly StateChange[]> {
  const query = { device: deviceId, type: eventType, to: from, texts: hasTexts || null, limit: 1 }
  return (await get<EventPage>('/api/events', query, signal)).events.map(changeOf)
}

/** The newest texts of a range, in order. What came before them is not known. */
export async function textChanges(
  { deviceId, eventType }: SeriesName,
  range: { readonly from: string; readonly to: string },
  signal: AbortSignal,
): Promise<{ readonly changes: readonly StateChange[]; readonly isAll: boolean }> {
  const query = { device: deviceId, type: eventType, ...range, texts: true, limit: MOST_CHANGES }
  const { events, next } = await get<EventPage>('/api/events', query, signal)
  return { changes: events.map(changeOf), isAll: next === null }
}
