import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { STANDARDS } from '@qs-telemetry/testing/conformance/conformance-page.ts'
import { casesOf, clausesOf } from '@qs-telemetry/testing/conformance/statement.ts'
import { PARITY_CASES } from '@qs-telemetry/testing/parity/all-cases.ts'

const CASES = Object.values(PARITY_CASES).flat()

for (const { standard, statements } of STANDARDS) {
  test(`each statement that is met has a case on the wire or a named test: protocol level ${standard}`, () => {
    const untested = Object.entries(statements)
      .filter(
        ([number, statement]) => typeof statement === 'string' && casesOf(number, standard).length === 0,
      )
      .map(([number]) => number)
    assert.deepEqual(untested, [])
  })

  test(`a statement without a case says why: protocol level ${standard}`, () => {
    const contradictory = Object.entries(statements)
      .filter(([, statement]) => typeof statement === 'object' && !('shownBy' in statement))
      .filter(([number]) => casesOf(number, standard).length > 0)
    assert.deepEqual(contradictory, [])
  })

  test(`each clause of a parity case is a statement of the table: protocol level ${standard}`, () => {
    const unknown = CASES.flatMap((each) =>
      clausesOf(each, standard)
        .filter((number) => !(number in statements))
        .map((number) => `${number}: ${each.name}`),
    )
    assert.deepEqual(unknown, [])
  })

  test(`no case that shows a statement deviates on the embedded broker: protocol level ${standard}`, () => {
    const deviating = CASES.filter(({ deviations }) => deviations?.embedded !== undefined)
    assert.deepEqual(
      deviating.flatMap((each) => clausesOf(each, standard)),
      [],
    )
  })

  test(`the named tests exist: protocol level ${standard}`, () => {
    const named = Object.values(statements).flatMap((statement) =>
      typeof statement === 'object' && 'shownBy' in statement ? statement.shownBy : [],
    )
    const missing = named.filter((each) => {
      const [file = '', ...name] = each.split(': ')
      return !readFileSync(`packages/qs/${file}`, 'utf8').includes(`test('${name.join(': ')}'`)
    })
    assert.deepEqual(missing, [])
  })
}
