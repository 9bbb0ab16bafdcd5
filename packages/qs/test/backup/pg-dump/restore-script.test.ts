import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { withoutNewerSettings } from '../../../src/backup/pg-dump/restore-script.ts'

test('the setting unknown to older servers is removed from the first lines only', async () => {
  const setting = 'SET transaction_timeout = 0;\n'
  const header = `SET lock_timeout = 0;\n${setting}SET row_security = off;\nCOPY t FROM stdin;\nä\n`
  const script = Readable.from([Buffer.from(header), Buffer.from(setting)])
  assert.equal(
    await text(script.pipe(withoutNewerSettings())),
    `SET lock_timeout = 0;\nSET row_security = off;\nCOPY t FROM stdin;\nä\n${setting}`,
  )
})
