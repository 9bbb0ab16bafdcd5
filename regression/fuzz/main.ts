import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { FUZZ_TIMEOUT_MS } from './sizes.ts'

const HELP = `Generates good, damaged and strange messages and checks that each ends as events or rejections.

  npm run fuzz                                   a million through decode, 20,000 through broker and database
  npm run fuzz -- --payloads 5000000             more payloads through decode
  npm run fuzz -- --messages 100000              more messages through broker and database
  npm run fuzz -- --seed 1700001                 different messages

A failure names the seed of its payload and the command that repeats it alone.
Exit codes: 0 every message passed, 1 one failed, 2 wrong usage. More in docs/reliability.md.`

const OPTIONS = {
  payloads: { type: 'string', default: '1000000' },
  messages: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean', default: false },
} as const

function read() {
  try {
    const { values } = parseArgs({ options: OPTIONS })
    for (const name of ['payloads', 'messages', 'seed'] as const) {
      if (!/^[1-9]\d{0,14}$/.test(values[name])) throw new Error(`--${name} takes a whole number from 1`)
    }
    return values
  } catch (error) {
    console.error(`error: ${(error as Error).message}\nSee npm run fuzz -- --help`)
    process.exit(2)
  }
}

const { payloads, messages, seed, help } = read()
if (help) console.log(HELP)
else {
  const child = spawn(
    process.execPath,
    ['scripts/test.mjs', 'regression/fuzz/', 'test/decode/fuzz.test.ts', 'test/broker/fuzz.test.ts'],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        FUZZ_PAYLOADS: payloads,
        FUZZ_MESSAGES: messages,
        FUZZ_SEED: seed,
        TEST_TIMEOUT_MS: String(FUZZ_TIMEOUT_MS),
      },
    },
  )
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}
