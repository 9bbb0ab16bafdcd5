import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { atEnd } from '@qs-telemetry/testing/at-end.ts'

/** The sources of the device kit. */
export const KIT = fileURLToPath(new URL('../../esp32/src/', import.meta.url))
const HOST = fileURLToPath(new URL('../host/', import.meta.url))
const call = promisify(execFile)

/** As the kit is compiled for a board; only programs of the tests use the standard library. */
const FLAGS = ['-std=c++11', '-O2', '-Wall', '-Wextra', '-Werror', '-fno-exceptions', '-fno-rtti']

export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'qs-device-'))
  atEnd(async () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Resolves with the object file. */
export async function compile(source: string, object: string): Promise<string> {
  await call('g++', [...FLAGS, `-I${KIT}`, `-I${HOST}`, `-I${HOST}libraries`, '-c', '-o', object, source], {
    timeout: 200_000,
  })
  return object
}

/** Resolves with the program. */
export async function link(objects: readonly string[], program: string): Promise<string> {
  await call('g++', ['-o', program, ...objects], { timeout: 100_000 })
  return program
}

export interface Run {
  readonly code: number
  readonly stdout: string
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 400_000 }, (error, stdout) => {
      if (error === null) resolve({ code: 0, stdout })
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout })
      else reject(error)
    })
  })
}
