import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'

/** Peers that the bench would build with Go if the module proxy had them. */
const MODULES = {
  'Redpanda Connect': 'github.com/redpanda-data/connect/v4',
  Bento: 'github.com/warpstreamlabs/bento',
} as const

const TIMEOUT_MS = 60_000

/** @returns a line for each peer that is not measured, with the reason */
export function askForOthers(): readonly string[] {
  return Object.entries(MODULES).map(([title, module]) => {
    const command = ['list', '-m', `${module}@latest`]
    const { error, status, stderr } = spawnSync('go', command, {
      cwd: tmpdir(),
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    })
    if (error) return `${title} is unavailable here: go does not run (${error.message})`
    if (status === 0) return `${title} is available here, but this bench has no configuration for it yet`
    const answer = /\d{3} [A-Z]\w+/.exec(stderr)?.[0] ?? stderr.trim().split('\n').at(-1)
    return `${title} is unavailable here: go ${command.join(' ')}: ${answer}`
  })
}
