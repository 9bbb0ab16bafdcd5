import type { DeviceAckWarning, WarningCode } from '@qs-telemetry/protocol'

/** A warning with a code from the closed list. */
export function warning(code: WarningCode, message: string): DeviceAckWarning {
  return { code, message }
}
