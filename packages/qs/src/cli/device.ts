import type { Command } from 'commander'
import { registerDeviceAdd } from './device-add.ts'
import { registerDeviceLs } from './device-ls.ts'
import { registerDeviceRm } from './device-rm.ts'
import { registerDeviceRotate } from './device-rotate.ts'

export function registerDevice(program: Command): void {
  const device = program
    .command('device')
    .description('manage device accounts at the broker: add, list, remove, new password')
    .addHelpText(
      'after',
      `
A device may publish only its own events and read only its own device acks. Works with the embedded broker of qs up
and with a Mosquitto set up by qs provision; docs/devices.md goes through it step by step.`,
    )
  for (const register of [registerDeviceAdd, registerDeviceLs, registerDeviceRm, registerDeviceRotate])
    register(device)
}
