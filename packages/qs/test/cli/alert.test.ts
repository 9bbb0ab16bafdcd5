import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { startReceiver, startStage } from '../alerts/alert-stage.ts'

test('qs alert adds rules and channels, lists them without secrets, tests, mutes and removes them', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  const folder = mkdtempSync(join(tmpdir(), 'qs-alert-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), 'tk_secret\n')
  const run = (...args: readonly string[]) => runCommand(['alert', ...args], { DATABASE_URL: stage.url })

  const settings = [`server=${receiver.url}`, 'topic=my-secret-topic', `token=@${join(folder, 'token')}`]
  const added = await run(
    'channel',
    'add',
    'phone',
    'ntfy',
    ...settings,
    '--quiet',
    '22:00-07:00',
    '--zone',
    'Europe/Berlin',
  )
  assert.equal(added.code, 0, added.stderr)
  const limits = ['--types', 'temp', '--above', '-15', '--back', '2', '--for', '10m', '--channel', 'phone']
  assert.match(
    (await run('add', 'freezer', 'value', ...limits)).stdout,
    /value, types temp, above -15, back by 2, for 10 minutes, to phone/,
  )
  assert.match((await run('add', 'battery', 'low-battery')).stdout, /types \*batt\*, below 15 %, back by 5/)
  assert.match(
    (await run('add', 'freezer', 'value', '--above', '1', '--replace')).stdout,
    /types temp, above 1, back by 2/,
  )

  const testing = run('test', 'phone')
  let isDone = false
  testing.finally(() => {
    isDone = true
  })
  while (!isDone) await stage.pass(1)
  assert.equal((await testing).stdout, 'phone: sent\n')
  assert.equal(receiver.received[0]?.headers.authorization, 'Bearer tk_secret')
  const { topic, message } = JSON.parse(receiver.received[0]?.body ?? '') as {
    topic: string
    message: string
  }
  assert.deepEqual(
    [topic, message],
    ['my-secret-topic', 'Test: This is a test of qs-telemetry: alerts arrive here'],
  )

  assert.equal((await run('mute', 'freezer', '2h')).code, 0)
  const list = await run('ls', '--json')
  const { rules, channels } = JSON.parse(list.stdout) as {
    rules: readonly { name: string; mutedUntil: string | null }[]
    channels: readonly object[]
  }
  assert.equal(rules.length, 10, 'eight from the start')
  assert.ok(
    Date.parse(rules.find(({ name }) => name === 'freezer')?.mutedUntil ?? '') > Date.now() + 7_000_000,
  )
  assert.equal(channels.length, 1)
  for (const { stdout } of [list, await run('ls')]) assert.doesNotMatch(stdout, /tk_secret|my-secret/)

  const refused = await run('channel', 'rm', 'phone')
  assert.match(refused.stderr, /freezer send to phone/)
  assert.equal((await run('rm', 'freezer')).code, 0)
  assert.equal((await run('channel', 'rm', 'phone')).code, 0)
})

test('what makes no sense is refused with the reason, and a secret is not repeated', async (t) => {
  const stage = await startStage(t)
  const run = (...args: readonly string[]) => runCommand(['alert', ...args], { DATABASE_URL: stage.url })
  const cases = [
    [['add', 'x', 'value'], /needs a limit/],
    [['add', 'x', 'value', '--above', '1', '--below', '2'], /has to be less/],
    [['add', 'x', 'value', '--above', '3', '--below', '1', '--back', '1'], /would end/],
    [['add', 'Big Name', 'disk'], /lower-case/],
    [['add', 'x', 'noise'], /no kind noise/],
    [['add', 'x', 'disk', '--channel', 'nobody'], /no channel nobody/],
    [['add', 'disk', 'disk'], /already/],
    [['rm', 'x'], /no rule x/],
    [['channel', 'add', 'c', 'webhook', 'url=ftp://s3cret'], /begins with https/],
    [['channel', 'add', 'c', 'webhook', 'url=https://u:s3cret@host/'], /no user name/],
    [['channel', 'add', 'c', 'ntfy', 'tpoic=s3cret'], /has no tpoic/],
    [['channel', 'add', 'c', 'telegram', 'token=s3cret'], /needs chat/],
    [['test'], /no channel yet/],
  ] as const
  for (const [args, reason] of cases) {
    const { code, stderr } = await run(...args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, reason)
    assert.doesNotMatch(stderr, /s3cret/)
  }
})
