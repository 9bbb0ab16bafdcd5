import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { KIT, temporary } from './compile.ts'

const HOST = join(KIT, '../../test/host')
const call = promisify(execFile)

/** An MQTT library as its authors publish it, in a folder of this name outside of the repository. */
export interface Library {
  readonly folder: string
  /** Of host/real: the program that lends its connection to the kit. */
  readonly program: string
  /** Below its folder. */
  readonly sources: readonly string[]
  readonly includes: readonly string[]
  /** What its sources include before everything else. */
  readonly first: string
  /** The headers of ESP-IDF that it includes; all are host/real/idf.h. */
  readonly idf?: readonly string[]
}

export const LIBRARIES: readonly Library[] = [
  {
    folder: 'arduino-mqtt',
    program: '256dpi.h',
    sources: ['src', 'src/lwmqtt'],
    includes: ['src'],
    first: 'stdint.h',
  },
  {
    folder: 'espMqttClient',
    program: 'esp-mqtt-client.h',
    sources: ['src', 'src/Packets', 'src/Transport'],
    includes: ['src'],
    first: 'real/quiet.h',
  },
  {
    folder: 'esp-mqtt',
    program: 'esp-mqtt.h',
    sources: ['mqtt_client.c', 'lib/mqtt_msg.c', 'lib/mqtt_outbox.c', 'lib/mqtt_utils/mqtt_utils.c'],
    includes: ['include', 'lib/include', 'lib/mqtt_utils/include'],
    first: 'stdint.h',
    idf: [
      ...['sdkconfig', 'esp_err', 'esp_log', 'esp_heap_caps', 'esp_transport', 'esp_transport_tcp'],
      ...['esp_transport_ssl', 'esp_transport_ws', 'esp_event', 'esp_idf_version', 'http_parser', 'platform'],
      ...['freertos/FreeRTOS', 'freertos/event_groups'],
    ],
  },
]

/** Compiles host/board.cpp with a library below `copies`; resolves with the program. */
export async function compileWith(library: Library, copies: string): Promise<string> {
  const { folder, program, sources, includes, first, idf } = library
  const directory = temporary()
  for (const name of idf ?? []) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, `${name}.h`), '#include "real/idf.h"\n')
  }
  const folders = [...includes.map((name) => join(copies, folder, name)), directory, HOST, KIT]
  const own = [join(HOST, 'board.cpp'), ...filesOf(KIT), ...(idf ? [join(HOST, 'real/idf.cpp')] : [])]
  const theirs = sources.flatMap((name) => filesOf(join(copies, folder, name)))
  const objects = [...own, ...theirs].map(async (source, index) => {
    const language = source.endsWith('.c') ? ['gcc', '-D_GNU_SOURCE'] : ['g++', '-std=c++11']
    const warnings = index < own.length ? ['-Wall', '-Wextra', '-Werror'] : ['-w', '-include', first]
    const flags = ['-O1', '-fno-exceptions', `-DREAL_LIBRARY="real/${program}"`, ...warnings]
    const object = join(directory, `${index}.o`)
    const from = [...folders, join(HOST, 'real/arduino')].map((each) => `-I${each}`)
    const [compiler = '', ...options] = language
    await call(compiler, [...options, ...flags, ...from, '-c', '-o', object, source])
    return object
  })
  const board = join(directory, 'board')
  await call('g++', ['-pthread', '-o', board, ...(await Promise.all(objects))])
  return board
}

/** A file, or the sources in a folder; what is for boards only leaves itself out. */
function filesOf(path: string): readonly string[] {
  if (/\.cp?p?$/.test(path)) return [path]
  if (!existsSync(path)) throw new Error(`there is no ${path}`)
  const names = readdirSync(path).filter((name) => /\.cp?p?$/.test(name))
  return names.map((name) => join(path, name))
}
