import {
  type ControlCommand,
  type ControlResponse,
  REFUSALS,
  RESPONSE_TOPIC,
} from '../../accounts/control-protocol.ts'
import type { Client } from '../../broker/broker-parts.ts'
import { NO_FORWARDED } from '../../broker/message.ts'
import { type ControlOptions, controlCommands, Refusal } from './control-commands.ts'

/**
 * Runs dynamic-security commands and answers them, one message after the other. `Access` decides who may publish to the
 * topic; the answer goes only to that client, subscribed or not.
 */
export class Control {
  readonly #commands: ReturnType<typeof controlCommands>
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ControlOptions) {
    this.#commands = controlCommands(options)
  }

  readonly answer = (client: Client, payload: Buffer): void => {
    const command = Buffer.from(payload)
    this.#last = this.#last.then(async () => respond(client, await this.#answer(command)))
  }

  async #answer(payload: Buffer): Promise<readonly ControlResponse[]> {
    const commands = readCommands(payload)
    if (commands === null) return [{ command: 'unknown', error: 'Invalid/missing commands' }]
    const responses: ControlResponse[] = []
    for (const command of commands) responses.push(await this.#run(command))
    return responses
  }

  async #run(command: ControlCommand): Promise<ControlResponse> {
    const { command: name, correlationData } = command
    const head = { command: name, ...(typeof correlationData === 'string' && { correlationData }) }
    try {
      const run = this.#commands.get(name)
      if (run === undefined) throw new Refusal(REFUSALS.unknown)
      const data = await run(command)
      return { ...head, ...(data !== undefined && { data }) }
    } catch (error) {
      // For example a file that cannot be written: the operator who sent the command can fix it.
      return { ...head, error: (error as Error).message }
    }
  }
}

function respond({ output, isClosed }: Client, responses: readonly ControlResponse[]): void {
  if (isClosed) return
  const payload = JSON.stringify({ responses })
  output.publish({
    ...{ topic: RESPONSE_TOPIC, payload, qos: 0, dup: false, retain: false, packetId: 0 },
    ...{ forwarded: NO_FORWARDED, expirySeconds: null, subscriptionIds: [] },
  })
}

function readCommands(payload: Buffer): readonly ControlCommand[] | null {
  try {
    const { commands } = JSON.parse(payload.toString()) as { readonly commands?: unknown }
    const isList = Array.isArray(commands) && commands.every((each) => typeof each?.command === 'string')
    return isList ? (commands as ControlCommand[]) : null
  } catch {
    return null
  }
}
