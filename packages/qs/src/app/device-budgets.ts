import type { Config } from '../config/settings.ts'
import { DeviceBudgets } from '../pipeline/device-budgets.ts'

/** The budgets of each device, from the settings. */
export function deviceBudgets(config: Config): DeviceBudgets {
  return new DeviceBudgets({
    messages: config.DEVICE_MESSAGES_PER_SECOND,
    bytes: config.DEVICE_BYTES_PER_SECOND,
    events: config.DEVICE_EVENTS_PER_SECOND,
    rejections: config.DEVICE_REJECTIONS_PER_SECOND,
  })
}
