import { pino } from 'pino'
import { startEmbeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'

// A separate process that starts the embedded database, prints its URL and runs until killed.
const [dataDir = '', port = ''] = process.argv.slice(2)
const { url } = await startEmbeddedPostgres({ dataDir, port: Number(port), log: pino({ level: 'silent' }) })
process.stdout.write(`${url}\n`)
setInterval(() => {}, 1 << 30)
