import assert from 'node:assert/strict'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Page } from 'playwright-core'

/** All plots of a page begin and end at the same pixels, so that a moment is at the same place in each. */
export async function assertAligned(page: Page): Promise<void> {
  const places = () =>
    page.locator('.u-over').evaluateAll((plots) =>
      plots.map((plot) => {
        const { left, right } = plot.getBoundingClientRect()
        return `${left} to ${right}`
      }),
    )
  const areAligned = async () => new Set(await places()).size === 1
  await until(areAligned, 'the plots are aligned').catch(async () =>
    assert.fail(`plots are not aligned: ${(await places()).join(', ')}`),
  )
}
