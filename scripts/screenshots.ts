import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Overview } from '@qs-telemetry/protocol/api'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { chromium, type Page } from 'playwright-core'

/*
 * npm run screenshots: takes the pictures of docs/images from the console of `npm start -- --demo`. Needs Chromium
 * (apt-get install chromium, or name one in CHROMIUM).
 */

const IMAGES = 'docs/images'
const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium'

interface Shot {
  readonly name: string
  readonly path: string
  readonly isDark?: true
  readonly isPhone?: true
  readonly height?: number
  readonly prepare?: (page: Page) => Promise<void>
}

const SHOTS: readonly Shot[] = [
  { name: 'devices', path: '/devices' },
  { name: 'device', path: '/devices/demo-0002?range=6h', prepare: hover, height: 1000 },
  { name: 'device-dark', path: '/devices/demo-0005?range=1h', isDark: true, prepare: hover, height: 1000 },
  {
    name: 'explore',
    path: '/explore?device=demo-0001&device=demo-0004&device=demo-0007&type=temp&range=6h',
    prepare: hover,
  },
  { name: 'live', path: '/live', prepare: async (page) => void (await page.waitForTimeout(5_000)) },
  { name: 'letters', path: '/letters' },
  { name: 'letter', path: '/letters/1' },
  { name: 'connect', path: '/connect', prepare: connect },
  { name: 'phone', path: '/devices', isPhone: true, isDark: true },
  // Last, so that the devices have been live for some minutes.
  { name: 'overview', path: '/', prepare: someMinutes },
]

/** Puts the cursor on a chart, so that its values are shown. */
async function hover(page: Page): Promise<void> {
  const over = page.locator('.u-over').first()
  await over.waitFor()
  await page.waitForFunction(() =>
    [...document.querySelectorAll('figure.chart')].every((chart) => chart.ariaBusy === 'false'),
  )
  await page.waitForTimeout(500)
  const box = await over.boundingBox()
  if (box !== null) await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2)
}

const MINUTES = 3

async function someMinutes(page: Page): Promise<void> {
  const bars = page.locator('rect[fill="var(--accent)"]:not([height="0"])')
  await until(async () => (await bars.count()) > MINUTES, `${MINUTES} minutes`, (MINUTES + 3) * 60_000)
}

async function connect(page: Page): Promise<void> {
  await page.getByLabel('Device id').fill('greenhouse')
  await page.getByRole('button', { name: 'Show settings' }).click()
  await page.getByText('Waiting for a message').waitFor()
}

async function start(directory: string): Promise<{ readonly process: ChildProcess; readonly url: string }> {
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const [MQTT_PORT, MQTT_WS_PORT, HTTP_PORT, POSTGRES_PORT] = ports.map(String)
  const env = {
    ...process.env,
    MQTT_PORT,
    MQTT_WS_PORT,
    HTTP_PORT,
    POSTGRES_PORT,
    QS_DATA_DIR: join(directory, 'data'),
  }
  const child = spawn(process.execPath, ['packages/qs/bin/qs.js', 'up', '--demo'], {
    env,
    stdio: 'ignore',
  })
  const url = `http://127.0.0.1:${HTTP_PORT}`
  const answers = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await until(answers, 'qs up is ready', 180_000).catch((error) => {
    child.kill('SIGINT')
    throw error
  })
  return { process: child, url }
}

const directory = mkdtempSync(join(tmpdir(), 'qs-screenshots-'))
const running = await start(directory)
const browser = await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] })
try {
  mkdirSync(IMAGES, { recursive: true })
  // The simulated devices first play their past, then continue live.
  const isLive = async () => {
    const answer = await fetch(`${running.url}/api/overview`)
    if (!answer.ok) return false
    const { eventsPerSecond, devices } = (await answer.json()) as Overview
    return devices.online === 12 && eventsPerSecond > 0 && eventsPerSecond < 20
  }
  await until(isLive, 'the devices are live', 300_000)
  for (const { name, path, isDark, isPhone, height = 860, prepare } of SHOTS) {
    const page = await browser.newPage({
      viewport: isPhone ? { width: 390, height: 844 } : { width: 1280, height },
      colorScheme: isDark ? 'dark' : 'light',
      timezoneId: 'Europe/Berlin',
      deviceScaleFactor: isPhone ? 2 : 1,
    })
    await page.goto(running.url + path)
    await page.waitForTimeout(1_500)
    await prepare?.(page)
    await page.screenshot({ path: join(IMAGES, `console-${name}.png`) })
    await page.close()
    console.log(`wrote ${IMAGES}/console-${name}.png`)
  }
} finally {
  await browser.close()
  running.process.kill('SIGINT')
  await new Promise((resolve) => running.process.once('exit', resolve))
  rmSync(directory, { recursive: true, force: true })
}
