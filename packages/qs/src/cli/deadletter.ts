import type { Command } from 'commander'
import { registerFix } from './deadletter-fix.ts'
import { registerList } from './deadletter-ls.ts'
import { registerPurge } from './deadletter-purge.ts'
import { registerReplay } from './deadletter-replay.ts'
import { registerShow } from './deadletter-show.ts'

export function registerDeadLetter(program: Command): void {
  const deadLetter = program
    .command('deadletter')
    .description('list, show, repair, replay and purge events that could not be stored')
    .addHelpText(
      'after',
      `
From a dead letter to a stored event
  qs deadletter ls --since 1d
  qs deadletter show 17
  qs deadletter fix 17 --merge '{"value":21.5}'
  qs deadletter replay 17`,
    )
  for (const register of [registerList, registerShow, registerFix, registerReplay, registerPurge])
    register(deadLetter)
}
