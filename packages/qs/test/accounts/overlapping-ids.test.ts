import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overlappingIds } from '../../src/accounts/overlapping-ids.ts'

test('devices overlap if the id of one begins with that of the other and a hyphen', () => {
  assert.deepEqual(
    overlappingIds(['esp32', 'esp32-kitchen', 'esp32-kitchen-2', 'esp32x-1', 'esp', 'ESP32-a']),
    [
      { shorter: 'esp32', longer: 'esp32-kitchen' },
      { shorter: 'esp32', longer: 'esp32-kitchen-2' },
      { shorter: 'esp32-kitchen', longer: 'esp32-kitchen-2' },
    ],
  )
  assert.deepEqual(overlappingIds(['kitchen-1', 'kitchen-2', '-', '__proto__', 'constructor-1']), [])
})
