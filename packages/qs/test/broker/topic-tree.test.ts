import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicMatches } from '@qs-telemetry/protocol'
import fc from 'fast-check'
import { TopicTree } from '../../src/broker/topic-tree.ts'

const level = fc.constantFrom('a', 'b', '', '$s', 'ä')
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.constantFrom('', '#', 'a', '+'))
  .map(([levels, last]) => [...levels, last].join('/'))
  .filter((each) => each !== '')

const found = (tree: TopicTree<string>, name: string) => {
  const values: string[] = []
  tree.match(name, values)
  return values.toSorted()
}

test('it finds the same filters as matching each of them', () => {
  const check = (filters: readonly string[], topics: readonly string[]) => {
    const tree = new TopicTree<string>()
    for (const each of filters) tree.set(each, 'key', each)
    for (const name of topics) {
      const expected = [...new Set(filters)].filter((each) => topicMatches(each, name)).toSorted()
      assert.deepEqual(found(tree, name), expected, `${name} of ${filters}`)
    }
  }
  const [filters, topics] = [
    fc.array(filter, { maxLength: 8 }),
    fc.array(topic, { minLength: 1, maxLength: 5 }),
  ]
  fc.assert(fc.property(filters, topics, check), { numRuns: 1_000 })
})

test('what is deleted leaves nothing behind, and the rest stays', () => {
  const check = (filters: readonly string[], name: string) => {
    const tree = new TopicTree<string>()
    for (const each of filters) tree.set(each, 'gone', 'gone')
    for (const each of filters) tree.set(each, 'kept', 'kept')
    for (const each of filters) tree.delete(each, 'gone')
    assert.ok(found(tree, name).every((value) => value === 'kept'))
    assert.equal(tree.size, new Set(filters).size)
    for (const each of filters) tree.delete(each, 'kept')
    assert.equal(tree.size, 0)
    assert.deepEqual(found(tree, name), [])
  }
  fc.assert(fc.property(fc.array(filter, { maxLength: 8 }), topic, check))
})

test('a value replaces the one with the same filter and key', () => {
  const tree = new TopicTree<number>()
  assert.equal(tree.set('a/+', 'k', 1), undefined)
  assert.equal(tree.set('a/+', 'k', 2), 1)
  assert.equal(tree.set('a/+', 'other', 3), undefined)
  assert.equal(tree.get('a/+', 'k'), 2)
  assert.equal(tree.size, 2)
})
