import type { Page } from 'playwright-core'

/** Types a text into a field of the chooser and picks the first match. */
export async function pick(page: Page, field: string, text: string): Promise<void> {
  await page.getByRole('combobox', { name: field }).fill(text)
  await page.getByRole('option', { name: text }).first().click()
}
