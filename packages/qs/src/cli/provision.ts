import type { Command } from 'commander'
import { accountTopics, operatorLogin } from '../accounts/operator-login.ts'
import { provision } from '../accounts/provision.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'

export function registerProvision(program: Command): void {
  program
    .command('provision')
    .description(
      'set up roles and the ingester account in a Mosquitto with dynamic security; deny everyone else',
    )
    .option('--json', 'print {"done":[…]}')
    .addHelpText(
      'after',
      `
Connects as the operator (MQTT_USERNAME, MQTT_PASSWORD), creates the account INGESTER_USERNAME with INGESTER_PASSWORD,
and updates the roles of all devices if MQTT_EVENTS_TOPIC or ACK_TEMPLATE has changed. It is safe to run again: it
changes only what differs and disconnects nobody. The embedded broker of qs up does not need it.

Example
  MQTT_URL=mqtt://broker:1883 MQTT_USERNAME=operator MQTT_PASSWORD_FILE=operator.secret \\
  INGESTER_PASSWORD_FILE=ingester.secret qs provision`,
    )
    .action(async ({ json }: { json?: true }) => {
      const config = loadConfig()
      const accounts = accountsOf(config)
      const done: string[] = []
      await provision({
        ...accounts,
        topics: accountTopics(config),
        onDone: (what) => {
          done.push(what)
          if (!json) console.log(what)
        },
      })
      if (json) console.log(JSON.stringify({ done }))
      else if (done.length === 0) console.log('All accounts and roles are up to date.')
    })
}

function accountsOf(config: Config) {
  const { MQTT_USERNAME: operator, INGESTER_USERNAME: username, INGESTER_PASSWORD: password } = config
  const missing = (['MQTT_USERNAME', 'MQTT_PASSWORD', 'INGESTER_PASSWORD'] as const).filter(
    (name) => config[name] === null,
  )
  if (operator === null || password === null || missing.length > 0)
    throw new ConfigError(missing.map((name) => `${name} is not set, and qs provision needs it`))
  if (operator === username)
    throw new ConfigError([
      'INGESTER_USERNAME equals MQTT_USERNAME, the operator: the ingester needs its own account',
    ])
  return { operator: { ...operatorLogin(config), username: operator }, ingester: { username, password } }
}
