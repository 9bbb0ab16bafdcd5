import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv, type AnySchemaObject } from 'ajv'
import { createGenerator } from 'ts-json-schema-generator'
import { readDeployed } from './support/queries.ts'

/**
 * Grafana publishes its dashboard as TypeScript (npm `@grafana/schema`, the line of Grafana 12) and as CUE, not as JSON
 * Schema; so the schema is made from those types. The file is the one for a whole dashboard, without the package's index,
 * which has two types with the same name.
 */
const TYPES = fileURLToPath(
  new URL('../../../node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen.d.ts', import.meta.url),
)

/** What Grafana writes but its own types lack. */
const KNOWN_GAPS = [
  // "target" is typed as that of the built-in annotations; it can also be a query of a data source.
  /^\/annotations\/list\/\d+\/target \w/,
  // An interval can choose its steps automatically.
  /^\/templating\/list\/2 auto(_min|_count)?$/,
]

test('every dashboard is valid by the schema that Grafana 12 publishes', async (t) => {
  const generator = createGenerator({ path: TYPES, type: 'Dashboard', skipTypeCheck: true })
  const schema = generator.createSchema('Dashboard') as AnySchemaObject
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema)
  const faultsOf = (dashboard: unknown) => {
    validate(dashboard)
    return (validate.errors ?? [])
      .map(
        ({ instancePath, params, message }) =>
          `${instancePath} ${params.additionalProperty ?? params.missingProperty ?? message}`,
      )
      .filter((fault) => !KNOWN_GAPS.some((gap) => gap.test(fault)))
  }
  assert.notEqual(faultsOf({ title: 1, schemaVersion: 'x' }).length, 0, 'the schema finds faults')
  for (const name of [
    'fleet',
    'device',
    'compare',
    'boards',
    'clock-drift',
    'data-quality',
    'pipeline-health',
  ]) {
    await t.test(name, () => {
      assert.deepEqual(faultsOf(JSON.parse(readDeployed(`dashboards/${name}.json`))), [])
    })
  }
})
