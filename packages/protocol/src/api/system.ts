import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

/** Facts that the pages load once. */
export const SystemSchema = Type.Object({
  version: Type.String(),
  mqttUrl: Type.String({ description: 'Address of the broker for devices' }),
  eventsTopic: Type.String({ description: '+ stands for the device id' }),
  acksTopic: Type.String(),
  deviceTimeZone: Type.String({ description: 'Zone of device times without an offset' }),
  isTimeZoneChosen: Type.Boolean({
    description: 'Whether a person chose that zone; if not, it is the default',
  }),
  machineTimeZone: Type.String({ description: 'Zone of the machine of the console' }),
  credentials: Type.Union([Type.Literal('none'), Type.Literal('made-here'), Type.Literal('made-elsewhere')], {
    description:
      'none: the broker requires none. made-here: POST /api/devices creates an account. made-elsewhere: qs device add does',
  }),
  credentialsProblem: Nullable(Type.String({ description: 'Why the console cannot create accounts' })),
  liveProblem: Nullable(Type.String({ description: 'Why /api/live sends nothing' })),
  canSimulate: Type.Boolean(),
})

export const SimulationSchema = Type.Object({
  running: Type.Boolean(),
  devices: Type.Integer({ description: 'Simulated devices with data in the database' }),
})

export type System = Static<typeof SystemSchema>
export type SimulationState = Static<typeof SimulationSchema>
