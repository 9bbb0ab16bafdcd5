import { type Found, withoutCredentials } from './load.ts'
import { SETTINGS, type Setting, type SettingName } from './settings.ts'

/** A setting for a person, as plain data. */
export interface ShownSetting {
  readonly name: SettingName
  readonly group: string
  readonly about: string
  readonly default: string | null
  /** Without secrets; null: not set. */
  readonly value: string | null
  /** Where the value comes from. */
  readonly source: string
}

const HIDDEN = '••••••'

/** Every setting with its value, its source and its description. */
export function shownSettings(
  found: Readonly<Record<SettingName, Found>>,
  { showSecrets = false }: { readonly showSecrets?: boolean } = {},
): readonly ShownSetting[] {
  return (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { group, about, default: fallback, secret, kind }: Setting<unknown> = SETTINGS[name]
    const { text, source } = found[name]
    const open = text !== null && isUrl(kind.name) ? withoutCredentials(text) : text
    const value = text === null || showSecrets ? text : secret ? HIDDEN : open
    return { name, group, about, default: fallback, value, source }
  })
}

/** A rejected URL may still contain a password. */
function isUrl(kind: string): boolean {
  return kind.startsWith('URL')
}
