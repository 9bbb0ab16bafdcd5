import type { Aedes, Client } from 'aedes'
import {
  CONTROL_TOPIC,
  type ControlCommand,
  type ControlResponse,
  REFUSALS,
  RESPONSE_TOPIC,
} from '../../accounts/control-protocol.ts'
import { type ControlOptions, controlCommands, Refusal } from './control-commands.ts'

/** An undeclared part of aedes. */
interface Connected {
  readonly clients: Readonly<Record<string, Client | undefined>>
}

/**
 * Runs dynamic-security commands and answers them, one message after the other. `Access` decides who may publish to the
 * topic; the answer goes only to that client.
 */
export class Control {
  readonly #commands: ReturnType<typeof controlCommands>
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ControlOptions) {
    this.#commands = controlCommands(options)
  }

  attach(broker: Aedes): void {
    const { clients } = broker as unknown as Connected
    broker.subscribe(
      CONTROL_TOPIC,
      ({ payload, ...packet }, done) => {
        const { clientId = '' } = packet as { readonly clientId?: string }
        const client = clients[clientId]
        this.#last = this.#last.then(async () => {
          const responses = await this.#answer(Buffer.from(payload))
          if (client !== undefined) respond(client, responses)
        })
        done()
      },
      () => {},
    )
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

function respond(client: Client, responses: readonly ControlResponse[]): void {
  const payload = Buffer.from(JSON.stringify({ responses }))
  const packet = {
    cmd: 'publish',
    topic: RESPONSE_TOPIC,
    payload,
    qos: 0,
    dup: false,
    retain: false,
  } as const
  client.publish(packet, () => {})
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
