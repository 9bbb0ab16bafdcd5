import type { Counts, Goal, Scenario } from './scenario.ts'

const WINDOW_EVENTS = 20_000

const EVENTS = (measured: number, warmUp: number, quick: Counts) => ({ full: { warmUp, measured }, quick })

const BASE = {
  groups: ['goals'],
  course: { kind: 'flood', windowEvents: WINDOW_EVENTS },
  subject: 'ingester',
  sharedBy: null,
  devices: 100,
  connections: 1,
  ids: 'ordered',
  resendEvery: 0,
  rowsThere: null,
  timeLimitMs: 120_000,
  goals: [],
  comparedTo: [],
} as const satisfies Partial<Scenario>

const SINGLES = {
  ...BASE,
  eventsPerMessage: 1,
  events: EVENTS(200_000, 20_000, { warmUp: 1_000, measured: 5_000 }),
} as const

const ARRAYS = {
  ...BASE,
  eventsPerMessage: 100,
  events: EVENTS(400_000, 40_000, { warmUp: 1_000, measured: 10_000 }),
} as const

const LONE = {
  ...BASE,
  course: { kind: 'flood', windowEvents: 1 },
  devices: 1,
  eventsPerMessage: 1,
  events: EVENTS(1_000, 200, { warmUp: 10, measured: 50 }),
  timeLimitMs: 60_000,
} as const

/** For subjects that cannot take a hundred thousand events in ten seconds. */
const SLOW = {
  ...SINGLES,
  groups: ['peers'],
  events: EVENTS(50_000, 5_000, { warmUp: 500, measured: 2_000 }),
  timeLimitMs: 300_000,
} as const

/** Its devices need no device ack: the PUBACK follows the COMMIT. */
const UP = { subject: 'up', connections: 100 } as const

const UP_MEMORY: Goal = { measure: 'peakMemoryMb', below: 170 }
const MEMORY: Goal = { measure: 'peakMemoryMb', below: 150 }
const ratio = (to: string, atLeast: number): Goal => ({ measure: 'ratio', to, atLeast })

/** In the order in which they run. For growth see `growthScenarios`. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...SINGLES,
    name: 'warm-up',
    about: 'first run of everything, without goals',
    events: EVENTS(20_000, 0, { warmUp: 0, measured: 2_000 }),
  },
  {
    ...SINGLES,
    name: 'single-events',
    about: 'one event per message, 100 devices',
    goals: [
      { measure: 'eventsPerSecond', atLeast: 25_000 },
      ratio('original-single-events', 25),
      ratio('telegraf-single-events', 3),
      ratio('node-red-single-events', 3),
      { measure: 'subjectCpu', below: 15 },
      MEMORY,
    ],
    comparedTo: ['broker-limit'],
  },
  {
    ...ARRAYS,
    name: 'arrays-of-100',
    about: '100 events per message',
    goals: [
      { measure: 'eventsPerSecond', atLeast: 50_000 },
      ratio('original-single-events', 50),
      ratio('copy-limit', 0.8),
      ratio('telegraf-arrays-of-100', 3),
      ratio('node-red-arrays-of-100', 3),
      { measure: 'subjectCpu', below: 6 },
      MEMORY,
    ],
  },
  {
    ...ARRAYS,
    name: 'arrays-of-20',
    about: '20 events per message',
    eventsPerMessage: 20,
    goals: [MEMORY],
    comparedTo: ['original-single-events'],
  },
  {
    ...LONE,
    name: 'lone-event',
    about: 'one event, its device ack, then the next',
    goals: [{ measure: 'p50Ms', below: 4 }, { measure: 'p99Ms', below: 15 }, MEMORY],
    comparedTo: ['original-lone-event'],
  },
  {
    ...SINGLES,
    ...UP,
    name: 'up-single-events',
    about: 'qs up: one event per message, 100 devices with a connection each',
    goals: [
      { measure: 'eventsPerSecond', atLeast: 60_000 },
      ratio('single-events', 2),
      ratio('original-single-events', 35),
      ratio('telegraf-single-events', 2),
      { measure: 'subjectCpu', below: 14 },
      UP_MEMORY,
    ],
  },
  {
    ...SINGLES,
    ...UP,
    name: 'up-gateway-single-events',
    about: 'qs up: the same on one connection, as in single-events',
    connections: 1,
    goals: [ratio('single-events', 2), UP_MEMORY],
  },
  {
    ...ARRAYS,
    ...UP,
    name: 'up-arrays-of-100',
    about: 'qs up: 100 events per message',
    goals: [
      ratio('arrays-of-100', 1),
      ratio('copy-limit', 0.85),
      { measure: 'subjectCpu', below: 7 },
      UP_MEMORY,
    ],
  },
  {
    ...LONE,
    ...UP,
    name: 'up-lone-event',
    about: 'qs up: one event, its PUBACK, then the next',
    connections: 1,
    goals: [{ measure: 'p50Ms', below: 1 }, { measure: 'p99Ms', below: 6 }, UP_MEMORY],
  },
  {
    ...SINGLES,
    ...UP,
    name: 'up-connections-10000',
    about: 'qs up: 10,000 devices with a connection each, which send one event each 10 s',
    course: { kind: 'paced', ratePerSecond: 1_000 },
    devices: 10_000,
    connections: 10_000,
    events: EVENTS(20_000, 10_000, { warmUp: 10_000, measured: 2_000 }),
    goals: [
      { measure: 'p99Ms', below: 50 },
      { measure: 'peakMemoryMb', below: 400 },
    ],
  },
  {
    ...SINGLES,
    name: 'paced-100',
    about: 'latency at 100 single events per second',
    course: { kind: 'paced', ratePerSecond: 100 },
    events: EVENTS(1_500, 200, { warmUp: 50, measured: 200 }),
  },
  {
    ...SINGLES,
    name: 'paced-5000',
    about: 'latency at 5,000 single events per second',
    course: { kind: 'paced', ratePerSecond: 5_000 },
    events: EVENTS(75_000, 10_000, { warmUp: 1_000, measured: 5_000 }),
    goals: [{ measure: 'p99Ms', below: 60 }],
  },
  {
    ...SINGLES,
    name: 'postgres-away',
    about: 'PostgreSQL comes back to 100,000 waiting messages',
    course: { kind: 'postgres-away' },
    events: EVENTS(100_000, 20_000, { warmUp: 1_000, measured: 10_000 }),
    goals: [{ measure: 'peakMemoryMb', below: 200 }],
  },
  {
    ...ARRAYS,
    name: 'copy-limit',
    about: 'limit: COPY of the rows of arrays-of-100 from a file, one connection',
    groups: ['goals', 'limits'],
    course: { kind: 'copy-limit', windowEvents: WINDOW_EVENTS },
  },
  {
    ...SINGLES,
    name: 'broker-limit',
    about: 'limit: the broker alone, to a subscriber in C (mosquitto_sub)',
    groups: ['limits'],
    course: { kind: 'broker-limit', windowEvents: WINDOW_EVENTS },
  },
  {
    ...SLOW,
    name: 'original-single-events',
    about: 'the original way: one event, one INSERT, one COMMIT, one device ack',
    groups: ['goals', 'peers'],
    subject: 'one-by-one',
    events: EVENTS(10_000, 500, { warmUp: 50, measured: 500 }),
  },
  {
    ...LONE,
    name: 'original-lone-event',
    about: 'the same, each event after the device ack of the previous one',
    groups: ['goals', 'peers'],
    subject: 'one-by-one',
  },
  {
    ...SLOW,
    name: 'telegraf-single-events',
    about: 'Telegraf, mqtt_consumer to postgresql',
    subject: 'telegraf',
    events: EVENTS(150_000, 15_000, { warmUp: 500, measured: 2_000 }),
  },
  {
    ...SLOW,
    name: 'telegraf-arrays-of-100',
    about: 'the same with 100 events per message',
    subject: 'telegraf',
    eventsPerMessage: 100,
    events: EVENTS(200_000, 20_000, { warmUp: 1_000, measured: 10_000 }),
  },
  {
    ...SLOW,
    name: 'node-red-single-events',
    about: 'Node-RED, mqtt in, join, one INSERT per batch, mqtt out',
    subject: 'node-red',
  },
  {
    ...SLOW,
    name: 'node-red-arrays-of-100',
    about: 'the same with 100 events per message',
    subject: 'node-red',
    eventsPerMessage: 100,
    events: EVENTS(200_000, 20_000, { warmUp: 1_000, measured: 10_000 }),
  },
  {
    ...SINGLES,
    name: 'one-device',
    about: 'all single events from one device',
    groups: ['variety'],
    devices: 1,
    comparedTo: ['single-events'],
  },
  {
    ...SINGLES,
    name: 'devices-10000',
    about: 'single events from 10,000 devices',
    groups: ['variety'],
    devices: 10_000,
    events: EVENTS(200_000, 20_000, { warmUp: 10_000, measured: 10_000 }),
    comparedTo: ['single-events'],
  },
  {
    ...SINGLES,
    name: 'random-single-events',
    about: 'single events with ids like UUIDs',
    groups: ['variety'],
    ids: 'random',
    comparedTo: ['single-events'],
  },
  {
    ...ARRAYS,
    name: 'random-arrays-of-100',
    about: 'arrays of 100 with ids like UUIDs',
    groups: ['variety'],
    ids: 'random',
    comparedTo: ['arrays-of-100'],
  },
  {
    ...SINGLES,
    name: 'duplicates',
    about: 'single events, every hundredth a repeat',
    groups: ['variety'],
    resendEvery: 100,
    comparedTo: ['single-events'],
  },
  {
    ...SINGLES,
    name: 'cold-start',
    about: 'single events to a process that has just started',
    groups: ['variety'],
    events: EVENTS(50_000, 0, { warmUp: 0, measured: 5_000 }),
    comparedTo: ['single-events'],
  },
  {
    ...SINGLES,
    name: 'backlog',
    about: '100,000 messages wait at the broker; measured from the start of the ingester',
    groups: ['variety'],
    course: { kind: 'backlog' },
    events: EVENTS(100_000, 0, { warmUp: 0, measured: 10_000 }),
    comparedTo: ['single-events'],
  },
  ...[1, 2, 3].flatMap((sharedBy): readonly Scenario[] => [
    {
      ...SINGLES,
      name: `shared-single-events-${sharedBy}`,
      about: `single events to qs ingest × ${sharedBy} on a shared subscription`,
      groups: ['scale'],
      sharedBy,
      comparedTo: sharedBy === 1 ? [] : ['shared-single-events-1'],
    },
    {
      ...ARRAYS,
      name: `shared-arrays-of-100-${sharedBy}`,
      about: `arrays of 100 to qs ingest × ${sharedBy} on a shared subscription`,
      groups: ['scale'],
      sharedBy,
      comparedTo: sharedBy === 1 ? [] : ['shared-arrays-of-100-1'],
    },
  ]),
]

/** Rows already in the table; the quick ones only show that it works. */
export const GROWTH_ROWS = { full: [0, 1_000_000, 10_000_000, 50_000_000], quick: [0, 20_000] } as const

/** Arrays of 100 into a table that grows step by step, first with ordered ids, then with random ones. */
export function growthScenarios(steps: readonly number[]): readonly Scenario[] {
  return (['ordered', 'random'] as const).flatMap((ids) =>
    steps.map((rowsThere): Scenario => {
      const first = `growth-${ids}-${steps[0]}`
      const isFirst = rowsThere === steps[0]
      return {
        ...ARRAYS,
        name: `growth-${ids}-${rowsThere}`,
        about: `arrays of 100 with ${ids} ids, ${rowsThere.toLocaleString('en')} rows in the table`,
        groups: ['growth'],
        ids,
        rowsThere,
        timeLimitMs: 600_000,
        goals: ids === 'ordered' && !isFirst ? [ratio(first, 0.8)] : [],
        comparedTo: ids === 'random' && !isFirst ? [first] : [],
      }
    }),
  )
}
