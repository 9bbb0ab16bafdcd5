import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { ensureLanPasswords } from '../../src/accounts/lan-passwords.ts'
import { lanFile } from '../../src/config/lan-file.ts'
import { inspectConfig, loadConfig } from '../../src/config/load.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

test('missing passwords are made once, and all commands read them from a file that only this user may read', (t) => {
  const dataDir = temporaryDirectory(t)
  const here = { QS_DATA_DIR: dataDir, HTTP_HOST: '0.0.0.0' }
  const made = ensureLanPasswords(loadConfig(here))
  assert.match(
    made.join('\n'),
    /^MQTT_USERNAME=operator\nMQTT_PASSWORD=[0-9a-f]{32}\nCONSOLE_OPERATOR_PASSWORD=[0-9a-f]{32}$/,
  )
  assert.equal(statSync(lanFile(dataDir)).mode & 0o777, 0o600)
  const config = loadConfig(here)
  const { MQTT_USERNAME: user, MQTT_PASSWORD: password, CONSOLE_OPERATOR_PASSWORD: console } = config
  assert.deepEqual(
    [`MQTT_USERNAME=${user}`, `MQTT_PASSWORD=${password}`, `CONSOLE_OPERATOR_PASSWORD=${console}`],
    made,
  )
  assert.equal(inspectConfig(here).found.MQTT_PASSWORD.source, `file ${lanFile(dataDir)}`)
  assert.deepEqual(ensureLanPasswords(config), [])
})

test('what is set wins, and no password is made that is not needed', (t) => {
  const dataDir = temporaryDirectory(t)
  const login = { QS_DATA_DIR: dataDir, MQTT_USERNAME: 'me', MQTT_PASSWORD: 'mine-and-long' }
  assert.deepEqual(ensureLanPasswords(loadConfig(login)), [], 'the console is on loopback')
  const network = { ...login, HTTP_HOST: '0.0.0.0' }
  const viewer = { ...network, CONSOLE_VIEWER_PASSWORD: 'to-look-only' }
  assert.deepEqual(ensureLanPasswords(loadConfig(viewer)), [], 'no operator, if only a viewer is wanted')
  const [made = '', ...more] = ensureLanPasswords(loadConfig(network))
  assert.match(made, /^CONSOLE_OPERATOR_PASSWORD=/)
  assert.deepEqual(more, [])
  writeFileSync(lanFile(dataDir), `MQTT_USERNAME=operator\nMQTT_PASSWORD=made\n`, { flag: 'a' })
  const { MQTT_USERNAME: user, MQTT_PASSWORD: password } = loadConfig(network)
  assert.deepEqual([user, password], ['me', 'mine-and-long'])
  const elsewhere = loadConfig({ QS_DATA_DIR: dataDir, HTTP_HOST: '0.0.0.0', MQTT_URL: 'mqtt://broker' })
  assert.equal(elsewhere.MQTT_PASSWORD, null, 'it is the password of the embedded broker')
  assert.deepEqual(ensureLanPasswords(elsewhere), [])
})
