import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SetUp } from '../../src/sink/set-up.ts'

const error = (code: string) => Object.assign(new Error('no'), { code })

test('a right missing from the start ends the ingester; one revoked later is an outage', () => {
  const setUp = new SetUp()
  assert.equal(setUp.failed(error('42501')), false)
  setUp.worked()
  assert.equal(setUp.problem, null)
  assert.equal(setUp.failed(error('42501')), true)
  assert.match(setUp.problem ?? '', /42501.*qs migrate/)
  setUp.worked()
  assert.equal(setUp.problem, null)
})

test('a refused login is always an outage for a writer, since the start has logged in before it', () => {
  for (const code of ['28P01', '28000', '3D000']) {
    const setUp = new SetUp()
    assert.equal(setUp.failed(error(code)), true)
    assert.match(setUp.problem ?? '', /DATABASE_URL/)
  }
})

test('a network outage is not a refusal', () => {
  const setUp = new SetUp()
  for (const code of ['57P03', '53300', '40001', 'ECONNREFUSED'])
    assert.equal(setUp.failed(error(code)), true)
  assert.equal(setUp.problem, null)
})
