import type { Program } from './build-client.ts'

/** An MQTT client library that nobody here wrote, with the program in the folder of its name that publishes with it. */
export interface ForeignClient extends Program {
  readonly name: string
  readonly levels: readonly (4 | 5)[]
  /** The program, which gets port, protocol level, QoS and device id as arguments. */
  readonly run: readonly [string, ...string[]]
}

const PYTHON = ['.venv/bin/python', 'publish.py'] as const
const NODE = ['node', 'publish.mjs'] as const

/** With pinned versions; the packages come from the registry of each language by its own tool. */
export const FOREIGN_CLIENTS: readonly ForeignClient[] = [
  python('paho Python', 'paho-python', 'paho-mqtt', '2.1.0'),
  python('gmqtt', 'gmqtt', 'gmqtt', '0.7.0'),
  node('4.3.8'),
  node('5.16.0'),
  go('paho Go', 'paho-go', 'github.com/eclipse/paho.mqtt.golang', '1.5.1', 4),
  go('paho Go', 'paho-golang', 'github.com/eclipse/paho.golang', '0.23.0', 5),
  pahoC(),
  java('paho Java', 'paho-java', '1.2.5', [4]),
  java('paho Java', 'paho-java5', '1.2.5', [5]),
  java('HiveMQ', 'hivemq', '1.3.7', [4, 5]),
  rust('rumqttc', '0.25.1'),
]

function python(name: string, folder: string, pack: string, version: string): ForeignClient {
  const build = [
    ['python3', '-m', 'venv', '.venv'],
    ['.venv/bin/pip', 'install', '--quiet', `${pack}==${version}`],
  ] as const
  return { name, folder, version, levels: [4, 5], build, run: PYTHON }
}

function node(version: string): ForeignClient {
  const build = [
    ['npm', 'init', '--yes', '--silent'],
    ['npm', 'install', '--no-package-lock', '--no-audit', '--no-fund', '--silent', `mqtt@${version}`],
  ] as const
  return { name: 'MQTT.js', folder: 'mqttjs', version, levels: [4, 5], build, run: NODE }
}

function go(name: string, folder: string, module: string, version: string, level: 4 | 5): ForeignClient {
  const build = [
    ['go', 'mod', 'init', 'publish'],
    ['go', 'get', `${module}@v${version}`],
    ['go', 'build', '-mod=mod', '-o', 'publish', '.'],
  ] as const
  return { name, folder, version, levels: [level], build, run: ['./publish'] }
}

function rust(crate: string, version: string): ForeignClient {
  const build = [
    ['cargo', 'init', '--quiet', '--name', 'publish', '--vcs', 'none'],
    ['cargo', 'add', '--quiet', '--no-default-features', `${crate}@=${version}`],
    ['cargo', 'add', '--quiet', '--features', 'rt,macros,time', 'tokio@1'],
    ['cargo', 'build', '--quiet', '--release'],
  ] as const
  return { name: crate, folder: crate, version, levels: [4, 5], build, run: ['target/release/publish'] }
}

function java(name: string, folder: string, version: string, levels: readonly (4 | 5)[]): ForeignClient {
  const build = [
    [
      'mvn',
      '-q',
      '-B',
      `-Dclient.version=${version}`,
      'dependency:copy-dependencies',
      '-DoutputDirectory=lib',
    ],
    ['javac', '-cp', 'lib/*', '-d', 'classes', 'Publish.java'],
  ] as const
  return { name, folder, version, levels, build, run: ['java', '-cp', 'classes:lib/*', 'Publish'] }
}

/** As this distribution of Debian or Ubuntu has it, unpacked and not installed. */
function pahoC(): ForeignClient {
  const compile =
    'for each in *.deb; do dpkg -x "$each" .; done; at=$(dirname "$(find usr -name libpaho-mqtt3c.so.1)"); ' +
    'cc -Iusr/include -o publish publish.c -L"$at" -lpaho-mqtt3c -Wl,-rpath,"$PWD/$at"'
  const build = [
    ['apt-get', 'download', '-q', 'libpaho-mqtt-dev', 'libpaho-mqtt1.3'],
    ['sh', '-ec', compile],
  ] as const
  return { name: 'paho C', folder: 'paho-c', version: '1.3', levels: [4, 5], build, run: ['./publish'] }
}
