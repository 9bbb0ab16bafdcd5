import { type TestContext, test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { type DirectStage, type DirectStageOptions, openDirectStage } from './direct-stage.ts'
import { openStage, type Stage } from './stage.ts'

/** Opens the stage of one stack. */
export type OpenStage = (t: TestContext, options: DirectStageOptions) => Promise<Stage | DirectStage>

interface Stack {
  /** Begins the names of its tests. */
  readonly name: string
  readonly skip: string | false
  readonly open: OpenStage
}

/** The two ways of an event to the database: Mosquitto and `qs ingest`, or `qs up`. */
const STACKS: readonly Stack[] = [
  {
    name: '',
    skip: mosquittoMissing,
    open: (t, { wrapDatabase, wrapBroker, ...options }) =>
      openStage(t, {
        ...options,
        ...(wrapDatabase && { wrapDatabase }),
        ...(wrapBroker && { wrapBroker }),
      }),
  },
  { name: 'qs up: ', skip: false, open: openDirectStage },
]

/** A promise that both stacks keep. */
export function testBothStacks(
  name: string,
  body: (t: TestContext, open: OpenStage) => Promise<unknown>,
): void {
  for (const stack of STACKS) {
    test(`${stack.name}${name}`, { skip: stack.skip }, async (t) => {
      await body(t, stack.open)
    })
  }
}
