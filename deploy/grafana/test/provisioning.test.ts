import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readDeployed } from './support/queries.ts'

const COMPOSE = readFileSync(new URL('../../../compose.yaml', import.meta.url), 'utf8')

type Fields = Readonly<Record<string, unknown>>

const MANUAL = readFileSync(new URL('../../../docs/grafana.md', import.meta.url), 'utf8')

/** Required fields and their types as in "Provision Grafana" and "Provision alerting resources" of the manual. */
function demand(object: Fields, types: Readonly<Record<string, string>>): void {
  for (const [name, type] of Object.entries(types)) {
    const value = object[name]
    assert.equal(Array.isArray(value) ? 'array' : typeof value, type, name)
  }
}

const DURATION = /^\d+[smhd]$/

test('the data source is the one of the dashboards, read only, with every secret from the environment', () => {
  const text = readDeployed('provisioning/datasources/qs.yaml')
  const { apiVersion, datasources } = parse(text) as {
    readonly apiVersion: number
    readonly datasources: readonly Fields[]
  }
  assert.deepEqual([apiVersion, datasources.length], [1, 1])
  const [source = {}] = datasources
  demand(source, {
    name: 'string',
    type: 'string',
    access: 'string',
    uid: 'string',
    url: 'string',
    user: 'string',
  })
  assert.deepEqual(
    [source.uid, source.type, source.access, source.editable],
    ['qs', 'postgres', 'proxy', false],
  )
  const json = source.jsonData as Fields
  demand(json, { database: 'string', sslmode: 'string', maxOpenConns: 'number', connMaxLifetime: 'number' })
  assert.deepEqual([json.postgresVersion, json.timescaledb], [1500, false])
  assert.ok((json.maxIdleConns as number) <= (json.maxOpenConns as number))
  assert.deepEqual(source.secureJsonData, { password: '${GRAFANA_DB_PASSWORD}' })
  const values = text.replaceAll(/#.*/g, '')
  const variables = [...values.matchAll(/\$\{?(\w+)\}?/g)].map(([, name]) => name ?? '')
  for (const name of variables)
    assert.ok(MANUAL.includes(`\`${name}\``), `docs/grafana.md does not say ${name}`)
})

test('dashboards are read from a folder, and edits in the browser are not lost silently', () => {
  const { apiVersion, providers } = parse(readDeployed('provisioning/dashboards/qs.yaml')) as {
    readonly apiVersion: number
    readonly providers: readonly Fields[]
  }
  assert.deepEqual([apiVersion, providers.length], [1, 1])
  const [provider = {}] = providers
  demand(provider, { name: 'string', type: 'string', folder: 'string', options: 'object' })
  assert.deepEqual([provider.type, provider.allowUiUpdates], ['file', false])
  const { path } = provider.options as { readonly path: string }
  assert.ok(MANUAL.includes(path), 'docs/grafana.md says where to mount them')
})

test('the alert rules have what the file format requires, and need no contact point', () => {
  const file = parse(readDeployed('provisioning/alerting/qs.yaml')) as {
    readonly apiVersion: number
    readonly groups: readonly Fields[]
  }
  assert.equal(file.apiVersion, 1)
  assert.deepEqual(Object.keys(file), ['apiVersion', 'groups'], 'contact points and policies are the user’s')
  for (const group of file.groups) {
    demand(group, { name: 'string', folder: 'string', interval: 'string', rules: 'array' })
    assert.match(group.interval as string, DURATION)
    for (const rule of group.rules as readonly Fields[]) {
      demand(rule, { uid: 'string', title: 'string', condition: 'string', data: 'array', for: 'string' })
      assert.match(rule.uid as string, /^[\w-]{1,40}$/)
      assert.match(rule.for as string, DURATION)
      assert.ok(['NoData', 'Alerting', 'OK', 'KeepLast'].includes(rule.noDataState as string))
      assert.ok(['Error', 'Alerting', 'OK', 'KeepLast'].includes(rule.execErrState as string))
      const data = rule.data as readonly Fields[]
      assert.ok(data.some(({ refId }) => refId === rule.condition))
      for (const query of data) {
        demand(query, {
          refId: 'string',
          datasourceUid: 'string',
          relativeTimeRange: 'object',
          model: 'object',
        })
        assert.ok(['qs', '__expr__'].includes(query.datasourceUid as string))
        assert.equal((query.model as Fields).refId, query.refId)
      }
      assert.equal(rule.notification_settings, undefined)
    }
  }
})

test('a contact point is a file for each ALERT_CONTACT, with every secret from the environment', () => {
  const types = { none: undefined, mail: 'email', telegram: 'telegram', ntfy: 'webhook' }
  for (const [name, type] of Object.entries(types)) {
    const text = readDeployed(`contact-points/${name}.yaml`)
    const file = parse(text) as {
      readonly apiVersion: number
      readonly contactPoints?: readonly { readonly name: string; readonly receivers: readonly Fields[] }[]
      readonly policies?: readonly Fields[]
    }
    assert.equal(file.apiVersion, 1)
    assert.deepEqual(
      file.contactPoints?.flatMap(({ receivers }) => receivers.map((each) => each.type)),
      type && [type],
    )
    assert.deepEqual(
      file.policies?.map(({ receiver }) => receiver),
      type && ['qs'],
    )
    for (const [, setting = ''] of text.matchAll(/\$\{(\w+)\}/g)) {
      assert.ok(MANUAL.includes(`\`${setting}\``), `docs/grafana.md does not say ${setting}`)
      assert.ok(COMPOSE.includes(`${setting}: \${${setting}:-}`), `compose.yaml does not pass ${setting}`)
    }
  }
  // The file that compose.yaml mounts over must exist, since the folder is mounted read only.
  assert.deepEqual(parse(readDeployed('provisioning/alerting/contact-point.yaml')), { apiVersion: 1 })
  for (const [, setting] of readDeployed('provisioning/alerting/qs.yaml').matchAll(/\$\{(\w+)\}/g))
    assert.ok(MANUAL.includes(`\`${setting}\``) && COMPOSE.includes(`${setting}: \${${setting}:-}`), setting)
})

test('a change of ALERT_CONTACT removes the previous contact point', () => {
  const names = ['mail', 'telegram', 'ntfy', 'off']
  for (const name of names) {
    const file = parse(readDeployed(`contact-points/${name}.yaml`)) as {
      readonly deleteContactPoints: readonly Fields[]
      readonly resetPolicies?: readonly number[]
    }
    assert.deepEqual(
      file.deleteContactPoints,
      names.filter((each) => ![name, 'off'].includes(each)).map((each) => ({ orgId: 1, uid: `qs-${each}` })),
    )
    assert.deepEqual(file.resetPolicies, name === 'off' ? [1] : undefined, name)
  }
  // An empty ALERT_CONTACT changes nothing that was set up in the browser.
  assert.deepEqual(parse(readDeployed('contact-points/none.yaml')), { apiVersion: 1 })
})

test('docs/compose.md names every setting of alerts that compose.yaml passes', () => {
  const manual = readFileSync(new URL('../../../docs/compose.md', import.meta.url), 'utf8')
  const settings = [...COMPOSE.matchAll(/\$\{((?:ALERT|SMTP)_\w+)/g)].map(([, name = '']) => name)
  assert.ok(settings.length > 10)
  for (const name of settings)
    assert.ok(manual.includes(`\`${name}\``), `docs/compose.md does not say ${name}`)
})

test('dashboards and alerts share one folder: both name it by its title', () => {
  const { providers } = parse(readDeployed('provisioning/dashboards/qs.yaml')) as {
    readonly providers: readonly Fields[]
  }
  const { groups } = parse(readDeployed('provisioning/alerting/qs.yaml')) as {
    readonly groups: readonly Fields[]
  }
  assert.deepEqual(
    [...providers, ...groups].map(({ folder, folderUid }) => [folder, folderUid]),
    [
      ['qs', undefined],
      ['qs', undefined],
    ],
  )
})
