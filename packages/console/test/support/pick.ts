import type { Page } from 'playwright-core'

/** Picks what is found by a text in a field of the chooser. */
export async function pick(page: Page, field: string, text: string): Promise<void> {
  await page.getByRole('combobox', { name: field }).fill(text)
  await page.getByRole('option', { name: text }).first().click()
}
