import type { Command } from 'commander'
import { registerDeviceAdd } from './device-add.ts'
import { registerDeviceDescribe } from './device-describe.ts'
import { registerDeviceLs } from './device-ls.ts'
import { registerDeviceRm } from './device-rm.ts'
import { registerDeviceRotate } from './device-rotate.ts'
import { registerDeviceZone } from './device-zone.ts'

export function registerDevice(program: Command): void {
  const device = program
    .command('device')
    .description('manage devices: accounts and passwords, labels, rooms, notes, archive, removal')
    .addHelpText(
      'after',
      `
A device may publish only its own events and read only its own device acks. Works with the embedded broker of qs up
and with a Mosquitto set up by qs provision; docs/devices.md goes through it step by step.`,
    )
  for (const register of [
    registerDeviceAdd,
    registerDeviceLs,
    registerDeviceDescribe,
    registerDeviceZone,
    registerDeviceRotate,
    registerDeviceRm,
  ])
    register(device)
}
