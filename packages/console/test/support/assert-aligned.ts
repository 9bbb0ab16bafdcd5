import assert from 'node:assert/strict'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Page } from 'playwright-core'

/** The plots of a page begin and end at the same pixels: a moment has one place in all of them. */
export async function assertAligned(page: Page): Promise<void> {
  const places = () =>
    page.locator('.u-over').evaluateAll((plots) =>
      plots.map((plot) => {
        const { left, right } = plot.getBoundingClientRect()
        return `${left} to ${right}`
      }),
    )
  const areAligned = async () => new Set(await places()).size === 1
  await until(areAligned, 'the plots are above each other').catch(async () =>
    assert.fail(`plots are not above each other: ${(await places()).join(', ')}`),
  )
}
