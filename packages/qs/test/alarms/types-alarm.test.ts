import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TYPES_SHOWN_MS, typesAlarm } from '../../src/alarms/types-alarm.ts'
import type { Message, Outcome } from '../../src/pipeline/message.ts'
import { rejection } from '../../src/pipeline/rejection.ts'

const from = (deviceId: string) => ({ deviceId }) as Message
const stored: Outcome = { kind: 'stored', tsServer: '2026-11-28T05:00:00.123456Z' }

test('devices with too many event types are named for ten minutes, at most five of them', () => {
  const alarm = typesAlarm()
  const tooMany = rejection('TOO_MANY_EVENT_TYPES', '')
  alarm.look([from('good'), from('other')], [[stored], [stored, rejection('INVALID_VALUE', '')]], 0)
  assert.equal(alarm.check(0), null)
  alarm.look([from('good'), from('bad\u202e"')], [[stored], [stored, tooMany]], 1_000)
  const text = alarm.check(1_000)
  assert.match(text ?? '', /event types: "bad.*put it into meta or value/)
  assert.doesNotMatch(text ?? '', /good/)
  assert.ok(alarm.check(1_000 + TYPES_SHOWN_MS))
  assert.equal(alarm.check(1_001 + TYPES_SHOWN_MS), null)
  for (let n = 0; n < 10_000; n++) alarm.look([from(`flood-${n}`)], [[tooMany]], 2 * TYPES_SHOWN_MS)
  assert.ok((alarm.check(2 * TYPES_SHOWN_MS) ?? '').length < 500)
})
