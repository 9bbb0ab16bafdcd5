import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { MUTANTS } from './mutants.ts'

/* `npm run simulate-faults -- --mutants` takes minutes to reach a passage that a change has removed. */
for (const { name, file, original } of MUTANTS) {
  test(`the passage of the mutant "${name}" occurs once in ${file}`, async () => {
    const source = await readFile(new URL(`../../packages/qs/src/${file}`, import.meta.url), 'utf8')
    assert.equal(source.split(original).length - 1, 1)
  })
}
