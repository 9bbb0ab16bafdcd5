import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

/** What the pages have to know once. */
export const SystemSchema = Type.Object({
  version: Type.String(),
  mqttUrl: Type.String({ description: 'The broker as devices reach it' }),
  eventsTopic: Type.String({ description: '+ stands for the device id' }),
  acksTopic: Type.String(),
  deviceTimeZone: Type.String({ description: 'Of device times without offset' }),
  credentials: Type.Union([Type.Literal('none'), Type.Literal('made-here'), Type.Literal('made-elsewhere')], {
    description:
      'none: the broker asks for none. made-here: POST /api/devices makes an account. made-elsewhere: qs device add does',
  }),
  credentialsProblem: Nullable(Type.String({ description: 'Why they are made elsewhere' })),
  liveProblem: Nullable(Type.String({ description: 'Why /api/live tells nothing' })),
  canSimulate: Type.Boolean(),
})

export const SimulationSchema = Type.Object({
  running: Type.Boolean(),
  devices: Type.Integer({ description: 'Simulated devices with data here' }),
})

export type System = Static<typeof SystemSchema>
export type SimulationState = Static<typeof SimulationSchema>
