import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { atEnd } from '@qs-telemetry/testing/at-end.ts'

/*
 * Examples for the ESP32, unchanged but for their settings, compiled for this machine with stand-ins for the board in
 * arduino/ and esp-idf/, and with a main function that ends when no event is waiting.
 */

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))
const KIT = join(ROOT, 'device/esp32/src')
const FLAGS = ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-DESP_PLATFORM', `-I${join(HERE, 'esp-idf')}`]

const SKETCHES = {
  arduino: { file: 'esp32-arduino/qs_telemetry_example/qs_telemetry_example.ino', defines: ['-DARDUINO'] },
  'esp-idf': { file: 'esp-idf/main/main.cpp', defines: [] },
} as const

const SETTINGS: readonly (readonly [RegExp, string])[] = [
  [/BROKER\[\] = "[^"]*"/, 'BROKER[] = "127.0.0.1"'],
  [/BROKER_PORT = \d+/, 'BROKER_PORT = atoi(getenv("BROKER_PORT"))'],
  [/MEASURE_EVERY_MS = \d+/, 'MEASURE_EVERY_MS = 50'],
  [/return 21\.0f .*/, 'return nextReading();'],
]

const call = promisify(execFile)
const compile = async (args: readonly string[]) => {
  await call('g++', [...FLAGS, ...args], { timeout: 100_000 })
}

let directory = ''
let kit: Promise<readonly string[]> | undefined

/** The object files of the kit. */
async function compileKit(): Promise<readonly string[]> {
  directory = mkdtempSync(join(tmpdir(), 'qs-sketch-'))
  atEnd(async () => rmSync(directory, { recursive: true, force: true }))
  const sources = readdirSync(KIT).filter((name) => name.endsWith('.cpp'))
  const objects = sources.map((name) => join(directory, `${name}.o`))
  await Promise.all(
    sources.map((name, index) => compile(['-c', '-o', objects[index] ?? '', join(KIT, name)])),
  )
  return objects
}

const programs = new Map<string, Promise<string>>()

/** Resolves with the program; compiled once. */
export function compileSketch(kind: keyof typeof SKETCHES): Promise<string> {
  const known = programs.get(kind) ?? link(kind)
  programs.set(kind, known)
  return known
}

async function link(kind: keyof typeof SKETCHES): Promise<string> {
  kit ??= compileKit()
  const objects = await kit
  const text = readFileSync(join(ROOT, 'examples', SKETCHES[kind].file), 'utf8')
  const driven = SETTINGS.reduce((text, [from, to]) => {
    assert.match(text, from)
    return text.replace(from, to)
  }, text)
  const source = join(directory, `${kind}.cpp`)
  const before = kind === 'arduino' ? '#include "Arduino.h"\n' : ''
  writeFileSync(
    source,
    `${before}#include "readings.h"\n${driven}\n#include "${join(HERE, kind, 'drive.cpp')}"\n`,
  )
  const program = join(directory, kind)
  const folders = [`-I${join(HERE, kind)}`, `-I${HERE}`, `-I${KIT}`]
  await compile([...SKETCHES[kind].defines, ...folders, '-o', program, source, ...objects])
  return program
}
