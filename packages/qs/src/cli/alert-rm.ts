import type { Command } from 'commander'
import { removeRule } from '../alerts/rules.ts'
import { QsError } from '../errors/qs-error.ts'
import { withDatabase } from './with-database.ts'

export function registerAlertRm(alert: Command): void {
  alert
    .command('rm')
    .description('remove a rule; its history stays')
    .argument('<name>')
    .action(async (name: string) => {
      if (!(await withDatabase((ask) => removeRule(ask, name))))
        throw new QsError('WRONG_ALERT', `There is no rule ${name}`)
      console.log(`${name} is removed.`)
    })
}
