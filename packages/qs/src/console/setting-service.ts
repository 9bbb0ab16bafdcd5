import type { Settings } from '@qs-telemetry/protocol/api'
import { SETTINGS } from '../config/settings.ts'
import type { ShownSetting } from '../config/shown-settings.ts'
import { chooseSetting, isChoosable, listChosen } from '../database/chosen-settings.ts'
import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'
import type { SettingService } from './services.ts'

export interface SettingServiceOptions {
  /** Those of the process that started the console. */
  readonly settings: readonly ShownSetting[]
  readonly isIngester: boolean
  readonly write: Ask
}

/** Settings as they are in effect, and choices of those that are safe to change. */
export function settingService({ settings, isIngester, write }: SettingServiceOptions): SettingService {
  const list = async (): Promise<Settings> => {
    const chosen = await listChosen(write)
    return { settings: settings.map((each) => inEffect(each, chosen)), isIngester }
  }
  return {
    list,
    choose: async (name, value) => {
      const setting = settings.find((each) => each.name === name)
      if (setting === undefined) throw new QsError('NOT_FOUND', `There is no setting ${name}`)
      if (!isChoosable(name)) throw new QsError('SETTING_FIXED', `The console may not change ${name}`)
      if (setting.source !== 'default')
        throw new QsError('SETTING_FIXED', `${name} comes from: ${setting.source}`)
      if (value !== null) check(name, value)
      await chooseSetting(write, name, value)
      return list()
    },
  }
}

function inEffect(setting: ShownSetting, chosen: ReadonlyMap<string, string>): Settings['settings'][number] {
  const isChangeable = isChoosable(setting.name) && setting.source === 'default'
  const value = isChangeable ? chosen.get(setting.name) : undefined
  return { ...setting, isChangeable, ...(value !== undefined && { value, source: 'console' }) }
}

function check(name: keyof typeof SETTINGS, value: string): void {
  try {
    SETTINGS[name].kind.parse(value)
  } catch (error) {
    throw new QsError('INVALID_REQUEST', `${name} ${(error as Error).message}, not "${value}"`)
  }
}
