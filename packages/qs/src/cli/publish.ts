import type { Command } from 'commander'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { QsError } from '../errors/qs-error.ts'
import { parseWith } from './parse-option.ts'
import { inputEvents } from './publish-input.ts'
import { Publishing, type PublishOptions } from './publishing.ts'

interface Options extends PublishOptions {
  readonly json?: true
}

/** Rejects options that would be ignored. */
function checkUsage(json: string | undefined, { type, value, unit, meta }: Options): void {
  if (type !== undefined && json !== undefined) {
    throw new QsError('WRONG_USAGE', 'Give an event as JSON or with --type, not both')
  }
  const unused = Object.entries({ value, unit, meta }).find(([, given]) => given !== undefined)
  if (type === undefined && unused !== undefined)
    throw new QsError('WRONG_USAGE', `--${unused[0]} needs --type`)
}

export function registerPublish(program: Command): void {
  program
    .command('publish')
    .description('publish events and wait for their device acks')
    .argument('[json]', 'an event, an array of events, or - for JSON lines from standard input')
    .option('--device <id>', 'device id, if the event has none')
    .option('--type <type>', 'event_type of an event built from options')
    .option('--value <value>', 'its value; numbers, true and false are recognised')
    .option('--unit <unit>', 'its unit')
    .option('--meta <json>', 'its meta')
    .option(
      '--timeout <seconds>',
      'give up after this long without a device ack',
      parseWith(integer(1, 86_400)),
      10,
    )
    .option('--json', 'print the device acks as JSON lines')
    .addHelpText(
      'after',
      `
Missing schema, event_id and device_id are filled in. Prints the outcome of each event, or a summary of more than
ten. Exits with 1 if an event was rejected or got no device ack in time.

Examples
  qs publish --device esp32-1 --type temp --value 21.5 --unit C
  qs publish '{"event_id":"esp32-1-001","device_id":"esp32-1","event_type":"door","value":"open"}'
  qs publish --device esp32-1 '[{"event_type":"temp","value":21},{"event_type":"hum","value":48}]'
  cat events.jsonl | qs publish -`,
    )
    .action(async (json: string | undefined, options: Options) => {
      checkUsage(json, options)
      if (json === undefined && options.type === undefined && process.stdin.isTTY) {
        throw new QsError(
          'WRONG_USAGE',
          'Nothing to publish. Give an event as JSON, or --device and --type; see qs publish --help',
        )
      }
      const publishing = new Publishing(loadConfig(), options)
      const { rejected, unanswered } = await publishing.run(inputEvents(json, options))
      if (rejected + unanswered > 0) process.exitCode = 1
    })
}
