import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { thisProgram } from '../../src/service/program.ts'
import { Systemd } from '../../src/service/systemd.ts'
import { unitText } from '../../src/service/unit-text.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const PLAN = {
  ...{
    program: thisProgram(),
    user: 'daemon',
    folder: '/srv/50 % of qs',
    upOptions: ['--lan', '--tls-only'],
  },
  ...{ otherFolders: ['/mnt/my nas/"qs"'], memoryMax: '75%' },
}

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0

test('systemd accepts the unit without a warning', {
  skip: !hasAnalyze && 'systemd-analyze is not installed (apt-get install systemd)',
}, (t) => {
  const file = join(temporaryDirectory(t), 'qs.service')
  writeFileSync(file, unitText(PLAN))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
})

test('the unit keeps what an upgrade needs to know', (t) => {
  const systemd = new Systemd(temporaryDirectory(t))
  assert.equal(systemd.installed(), null)
  writeFileSync(systemd.unitFile, unitText(PLAN))
  const { user, folder, upOptions, memoryMax } = PLAN
  assert.deepEqual(systemd.installed(), {
    ...{ user, folder, upOptions, memoryMax },
    script: thisProgram().at(-1),
  })
})

test('a folder in a home stays visible, and other homes cannot be written to', () => {
  assert.match(unitText(PLAN), /^ProtectHome=yes$/m)
  assert.match(unitText({ ...PLAN, folder: '/home/me/qs' }), /^ProtectHome=read-only$/m)
  assert.match(unitText({ ...PLAN, folder: '/home/me/qs' }), /^ReadWritePaths=-\/home\/me\/qs /m)
})
