// npm run test:compose: tests the real composed stack in containers. Uses the running Docker engine; as root it starts
// its own if none is running. Images that cannot be pulled are replaced by stand-ins built from Debian's packages.
// With arguments: only the files whose path contains one of them, as in `npm run test:compose -- tls`.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const has = (...command) => spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).status === 0
const run = (...command) => {
  const { status } = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error(`${command.join(' ')} failed; see its output above`)
}

/** Kept from run to run, so that the stand-ins are built once. */
const ENGINE_DIRECTORY = '/var/tmp/qs-docker'

async function startEngine() {
  if (has('docker', 'info')) return () => {}
  const why = [
    [process.getuid?.() !== 0, 'no Docker engine is running, and only root can start one'],
    [
      !has('dockerd', '--version'),
      'no Docker engine is running, and dockerd is not installed (apt install docker.io)',
    ],
  ].find(([applies]) => applies)
  if (why !== undefined) throw new NotRun(why[1])
  mkdirSync(ENGINE_DIRECTORY, { recursive: true })
  const directories = ['--data-root', `${ENGINE_DIRECTORY}/data`, '--exec-root', `${ENGINE_DIRECTORY}/exec`]
  const socket = `unix://${ENGINE_DIRECTORY}/docker.sock`
  const pidFile = ['--pidfile', `${ENGINE_DIRECTORY}/docker.pid`]
  const engine = spawn('dockerd', ['--host', socket, ...directories, ...pidFile], {
    stdio: 'ignore',
    detached: true,
  })
  process.env.DOCKER_HOST = socket
  for (let waited = 0; !has('docker', 'info'); waited++) {
    if (waited === 60 || engine.exitCode !== null)
      throw new NotRun('the Docker engine does not start here; run "dockerd" to see why')
    await delay(500)
  }
  return () => engine.kill()
}

function findCompose() {
  const found = ['docker compose', 'docker-compose'].find((each) => has(...each.split(' '), 'version'))
  if (found === undefined) throw new NotRun('Docker Compose is not installed (apt install docker-compose)')
  return found
}

/** The images are those of compose.yaml and the Dockerfile. */
function needsStandIns() {
  const pinned = [...readFileSync('compose.yaml', 'utf8').matchAll(/image: ((?!qs-|&)\S+:\S+)/g)]
  const bases = [...readFileSync('Dockerfile', 'utf8').matchAll(/^ARG \w+=(\S+)/gm)]
  const images = [...pinned, ...bases].map(([, image]) => image)
  return images.some(
    (image) => !has('docker', 'image', 'inspect', image) && !has('docker', 'pull', '--quiet', image),
  )
}

class NotRun extends Error {}

let stopEngine = () => {}
try {
  stopEngine = await startEngine()
  process.env.QS_COMPOSE = findCompose()
  console.log(`Composed stack, with ${process.env.QS_COMPOSE}`)
  if (needsStandIns()) {
    console.log(
      'Images cannot be pulled here: building stand-ins from Debian packages, once (about three minutes) …',
    )
    run('sh', 'deploy/test/stand-ins/build.sh')
  }
  console.log('Building the images of this checkout …')
  run('docker', 'build', '--quiet', '--target', 'ingester', '--tag', 'qs-telemetry:test', '.')
  run('docker', 'build', '--quiet', '--target', 'tools', '--tag', 'qs-telemetry-tools:test', '.')
  const wanted = process.argv.slice(2)
  const files = readdirSync('deploy/test')
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .map((name) => `deploy/test/${name}`)
  const node = [process.execPath, '--import', 'tsx', '--conditions=source', '--test', '--test-concurrency=2']
  const args = ['--test-reporter=spec', '--test-timeout=1500000', ...files]
  process.exitCode = spawnSync(node[0], [...node.slice(1), ...args], { stdio: 'inherit' }).status ?? 1
} catch (error) {
  if (error instanceof NotRun) console.log(`The tests of the composed stack were NOT RUN: ${error.message}.`)
  else {
    console.error(`error: ${error.message}`)
    process.exitCode = 1
  }
} finally {
  stopEngine()
}
