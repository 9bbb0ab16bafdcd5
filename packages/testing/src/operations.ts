import type { RunningConsole } from './console.ts'
import type { RawRequest } from './raw-http.ts'

export type Access = 'public' | 'viewer' | 'operator'

export interface Operation {
  readonly access: Access
  /** Sufficient for the operation to succeed, so that a request that gets past the gate leaves a trace. */
  readonly query?: string
  readonly body?: unknown
}

export const PASSWORDS = {
  CONSOLE_OPERATOR_PASSWORD: 'correct horse',
  CONSOLE_VIEWER_PASSWORD: 'only looking',
}
const RANGE = 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'
const RULE = {
  name: 'r',
  kind: 'disk',
  devices: '*',
  types: '*',
  rooms: '*',
  unit: null,
  above: null,
  below: 5,
  back: 0,
  forSeconds: 0,
  remindSeconds: null,
  urgent: false,
  channels: [],
  mutedUntil: null,
}
const PAYLOAD = { payload: '{}' }

/** Who may use each operation. A missing one fails the test: decide, and add it. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /api/session': { access: 'public' },
  'POST /api/login': { access: 'public', body: { name: 'viewer', password: 'only looking' } },
  'POST /api/logout': { access: 'public' },
  'GET /api/system': { access: 'viewer' },
  'GET /api/storage': { access: 'viewer' },
  'GET /api/overview': { access: 'viewer' },
  'GET /api/audit': { access: 'viewer' },
  'GET /api/settings': { access: 'viewer' },
  'PUT /api/settings/{name}': { access: 'operator', body: { value: 'Europe/Berlin' } },
  'GET /api/devices': { access: 'viewer' },
  'GET /api/devices/{deviceId}': { access: 'viewer' },
  'GET /api/devices/{deviceId}/gaps': { access: 'viewer' },
  'GET /api/devices/{deviceId}/drift': { access: 'viewer', query: RANGE },
  'GET /api/devices/{deviceId}/clock-advice': { access: 'viewer' },
  'GET /api/rooms': { access: 'viewer' },
  'GET /api/types': { access: 'viewer' },
  'GET /api/sparklines': { access: 'viewer', query: 'device=victim' },
  'GET /api/series': { access: 'viewer', query: `device=victim&type=t&${RANGE}` },
  'GET /api/states': { access: 'viewer', query: `device=victim&type=t&${RANGE}` },
  'GET /api/events': { access: 'viewer' },
  'GET /api/export': { access: 'viewer', query: `format=csv&device=victim&type=t&${RANGE}` },
  'GET /api/exports/{name}': { access: 'viewer' },
  'GET /api/live': { access: 'viewer' },
  'GET /api/unhandled-topics': { access: 'viewer' },
  'GET /api/letters': { access: 'viewer' },
  'GET /api/letters/{id}': { access: 'viewer' },
  'GET /api/alerts': { access: 'viewer' },
  'GET /api/simulation': { access: 'viewer' },
  'GET /api/pinned': { access: 'viewer' },
  'PUT /api/pinned': {
    access: 'operator',
    body: { deviceId: 'victim', eventType: 't', isPinned: true },
  },
  'POST /api/devices': { access: 'operator', body: { deviceId: 'stranger' } },
  'PATCH /api/devices/{deviceId}': { access: 'operator', body: { label: 'changed' } },
  'POST /api/devices/list': { access: 'operator', body: { csv: 'stranger-2' } },
  'POST /api/devices/{deviceId}/password': { access: 'operator' },
  'DELETE /api/devices/{deviceId}': { access: 'operator', query: 'confirm=victim' },
  'POST /api/letters/{id}/judge': { access: 'operator', body: PAYLOAD },
  'PUT /api/letters/{id}/repair': { access: 'operator', body: PAYLOAD },
  'POST /api/letters/patch': { access: 'operator', body: { all: true, merge: '{}' } },
  'POST /api/letters/replay': { access: 'operator', body: { all: true } },
  'POST /api/letters/purge': { access: 'operator', body: { all: true } },
  'PUT /api/alerts/rules/{name}': { access: 'operator', body: RULE },
  'DELETE /api/alerts/rules/{name}': { access: 'operator' },
  'POST /api/alerts/rules/{name}/mute': { access: 'operator', body: { forSeconds: 60 } },
  'POST /api/alerts/channels/{name}/test': { access: 'operator' },
  'POST /api/simulation': { access: 'operator' },
  'POST /api/simulation/stop': { access: 'operator' },
  'DELETE /api/simulation': { access: 'operator' },
}

/** Routes that are not in the document. */
const HIDDEN: Readonly<Record<string, Operation>> = {
  'HEAD /api/devices': { access: 'viewer' },
  'GET /api/openapi.json': { access: 'viewer' },
  'GET /api/docs/': { access: 'viewer' },
  'GET /api/docs/static/swagger-ui.css': { access: 'viewer' },
  'GET /api/docs/json': { access: 'viewer' },
  'GET /api/nothing': { access: 'viewer' },
}

/** `exact`: the same route answers. All others may lead nowhere, but never further than the exact ones. */
interface Spelling {
  readonly exact: boolean
  readonly of: (path: string, authority: string) => string
}

const encoded = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`
const afterLast = (path: string, text: string) => path.replace(/(\/?)(\?|$)/, `${text}$1$2`)

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  plain: { exact: true, of: (path) => path },
  'first letter encoded': { exact: true, of: (path) => path.replace('/a', '/%61') },
  'every letter encoded': { exact: true, of: (path) => encodePath(path) },
  'absolute form': { exact: true, of: (path, authority) => `http://${authority}${path}` },
  'absolute form, encoded': {
    exact: true,
    of: (path, authority) => `HTTP://${authority}${encodePath(path)}`,
  },
  'two slashes first': { exact: false, of: (path) => `/${path}` },
  'two slashes within': { exact: false, of: (path) => path.replace('/api/', '/api//') },
  'a dot first': { exact: false, of: (path) => `/.${path}` },
  'a dot within': { exact: false, of: (path) => path.replace('/api/', '/api/./') },
  'up and down again': { exact: false, of: (path) => path.replace('/api/', '/api/../api/') },
  'up, encoded': { exact: false, of: (path) => `/x/%2e%2e${path}` },
  'from a public path': { exact: false, of: (path) => `/api/session/..${path.replace('/api', '')}` },
  'upper case': { exact: false, of: (path) => path.replace('/api/', '/API/') },
  'encoded slash': { exact: false, of: (path) => path.replace('/api/', '/api%2f') },
  backslash: { exact: false, of: (path) => path.replace('/api/', '/api\\') },
  'a parameter after ;': { exact: false, of: (path) => afterLast(path, ';x') },
  'a public path after ;': { exact: false, of: (path) => afterLast(path, ';/api/session') },
  'a slash last': { exact: false, of: (path) => afterLast(path, '/') },
  'a fragment': { exact: false, of: (path) => `${path}#/api/session` },
}

function encodePath(path: string): string {
  const [name = '', query] = path.split('?', 2)
  return `${name.replaceAll(/[a-z]/g, encoded)}${query === undefined ? '' : `?${query}`}`
}

export interface Case extends RawRequest {
  readonly operation: Operation
  readonly name: string
  readonly exact: boolean
}

interface Walk {
  readonly letter: string
  /** The host in the request. */
  readonly authority: string
}

/** Each operation in each spelling. */
export function* cases({ letter, authority }: Walk): Generator<Case> {
  for (const [key, operation] of Object.entries({ ...OPERATIONS, ...HIDDEN })) {
    const [method = '', template = ''] = key.split(' ')
    const path = template.replace('{deviceId}', 'victim').replace('{id}', letter)
    const url = operation.query === undefined ? path : `${path}?${operation.query}`
    for (const [spelling, { exact, of }] of Object.entries(SPELLINGS)) {
      const { body } = operation
      const target = of(url, authority)
      yield {
        method,
        target,
        body,
        operation,
        exact,
        name: `${key} (${spelling})`,
        headers: { host: authority },
      }
    }
  }
}

export async function plant({ publish, query }: RunningConsole): Promise<string> {
  await publish('victim', { schema: 1, event_id: 'v1', device_id: 'victim', event_type: 't', value: 1 })
  await publish('victim', 'no event')
  const [row] = await query('select dead_letter_id::text as id from dead_letters')
  return String(row?.id)
}

/** State that no stranger and no viewer may change. */
export async function state({ query }: RunningConsole) {
  return query(`
    select (select count(*)::int from dead_letters) as letters, (select count(*)::int from events) as events,
      (select string_agg(coalesce(label, '-'), ',') from devices) as labels,
      (select count(*)::int from pinned) as pins,
      (select count(*)::int from audit_log where action not like 'login%') as actions`)
}

export const UNTOUCHED = [{ letters: 1, events: 1, labels: '-', pins: 0, actions: 0 }]

/** Eight at a time: a loaded machine spends most of a request waiting. */
export async function inParallel<T>(items: Iterable<T>, each: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const work = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await each(next.value)
  }
  await Promise.all(Array.from({ length: 8 }, work))
}
