import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { askWorkers, type Worker } from '../database/citus-workers.ts'
import { counted } from '../telemetry/counted.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

/** Within the five seconds of a query of the doctor. */
const TIMEOUT_MS = 4_000

/**
 * Asked as the role of the doctor. `synchronous_commit` may also be off for another role that stores events. Citus commits what is
 * prepared within two intervals; what is older waits for a person.
 */
const ABOUT_NODE = `
select json_build_object(
  'server', current_setting('server_version'),
  'citus', coalesce((select extversion from pg_extension where extname = 'citus'), 'none'),
  'fsync', current_setting('fsync'),
  'fullPageWrites', current_setting('full_page_writes'),
  'synchronousCommit', case when exists (
      select from pg_db_role_setting r left join pg_database d on d.oid = r.setdatabase
      where r.setconfig && array['synchronous_commit=off', 'synchronous_commit=false', 'synchronous_commit=no', 'synchronous_commit=0']
        and coalesce(d.datname, current_database()) = current_database()
        and (r.setrole = 0 or has_table_privilege(r.setrole, 'events', 'insert')))
    then 'off' else current_setting('synchronous_commit') end,
  'readOnly', pg_is_in_recovery(),
  'connections', current_setting('max_connections')::int,
  'prepared', current_setting('max_prepared_transactions')::int,
  'left', (select count(*) from pg_prepared_xacts where database = current_database() and gid like 'citus\\_%'
    and prepared < now() - 2 * greatest(coalesce(current_setting('citus.recover_2pc_interval', true), '1min')::interval, '1s')))`

interface Node {
  readonly server: string
  readonly citus: string
  readonly fsync: string
  readonly fullPageWrites: string
  readonly synchronousCommit: string
  readonly readOnly: boolean
  readonly connections: number
  readonly prepared: number
  /** Transactions that are prepared and neither committed nor rolled back. */
  readonly left: number
}

type Nodes = readonly (readonly [place: string, node: Node])[]

/** On Citus a COMMIT is that of every worker with rows of it. Nothing in plain PostgreSQL. */
export async function* checkWorkers(database: ClientBase, config: Config): AsyncGenerator<Finding> {
  const query = async (text: string, values: readonly unknown[] = []) =>
    (await database.query(text, [...values])).rows
  const workers = await askWorkers(query, { command: ABOUT_NODE, timeoutMs: TIMEOUT_MS })
  if (workers.length === 0) return
  yield* checkReach(workers)
  const nodes = workers
    .filter((worker) => worker.ok)
    .map(({ place, text }) => [place, JSON.parse(text)] as const)
  if (nodes.length === 0) return
  const [row] = await query(ABOUT_NODE)
  const coordinator = Object.values(row ?? {})[0] as Node
  yield* checkCommits(nodes)
  yield checkRoom(nodes, coordinator, config)
  yield checkLeft([['the coordinator', coordinator], ...nodes])
  yield checkVersions([['the coordinator', coordinator], ...nodes])
  yield unknown('worker disk', 'PostgreSQL cannot say how much is free', 'Monitor the disk of each worker')
}

function* checkReach(workers: readonly Worker[]): Generator<Finding> {
  for (const { place, text } of workers.filter((worker) => !worker.ok))
    yield problem(
      'worker reachable',
      `${place}: ${text}. No batch of this role with events for it commits`,
      `Start it, or correct its place with citus_update_node(); if it runs, the log of the coordinator has the reason, such as a password that pg_dist_authinfo or .pgpass lacks, or the connection limit of this role`,
    )
  const good = workers.filter((worker) => worker.ok)
  if (good.length > 0) yield ok('worker reachable', good.map(({ place }) => place).join(', '))
}

const DURABLE = {
  fsync: 'fsync',
  fullPageWrites: 'full_page_writes',
  synchronousCommit: 'synchronous_commit',
} as const

/** The ingester turns `synchronous_commit` on where it is connected, which is not on the workers. */
function* checkCommits(nodes: Nodes): Generator<Finding> {
  const findings: Finding[] = []
  for (const [place, node] of nodes) {
    for (const [key, name] of Object.entries(DURABLE) as [keyof typeof DURABLE, string][])
      if (node[key] === 'off')
        findings.push(
          problem(
            `worker ${name}`,
            `off on ${place}`,
            `A power failure of it can lose committed events: there, alter system set ${name} = on, then reload${name === 'synchronous_commit' ? '; or reset it where \\drds of psql shows it for a role or database' : ''}`,
          ),
        )
    if (node.readOnly)
      findings.push(
        problem('worker writable', `${place} is a standby`, 'Name its primary with citus_update_node()'),
      )
  }
  if (findings.length === 0)
    findings.push(ok('worker durability', `${Object.values(DURABLE).join(', ')} are on; writable`))
  yield* findings
}

/** Each writer prepares one transaction on a worker, and opens one connection to it; a reader may open several. */
function checkRoom(nodes: Nodes, coordinator: Node, { DATABASE_WRITERS }: Config): Finding {
  const name = 'worker limits'
  const setting = (which: string, value: number) =>
    `there, alter system set ${which} = ${value}, then restart`
  const few = nodes.find(([, { prepared }]) => prepared < DATABASE_WRITERS)
  if (few)
    return problem(
      name,
      `max_prepared_transactions is ${few[1].prepared} on ${few[0]}; an ingester needs ${DATABASE_WRITERS}, and no batch commits without`,
      `Allow one for each connection: ${setting('max_prepared_transactions', coordinator.connections)}`,
    )
  const low = nodes.find(([, { connections }]) => connections < coordinator.connections)
  if (low)
    return warning(
      name,
      `max_connections is ${low[1].connections} on ${low[0]}, less than the ${coordinator.connections} of the coordinator`,
      `Each session of the coordinator may need one: ${setting('max_connections', coordinator.connections)}`,
    )
  const least = Math.min(...nodes.map(([, { prepared }]) => prepared))
  return ok(
    name,
    `max_prepared_transactions is ${least} or more, max_connections at least that of the coordinator`,
  )
}

function checkLeft(nodes: Nodes): Finding {
  const name = 'worker transactions'
  const left = nodes.filter(([, node]) => node.left > 0)
  if (left.length === 0) return ok(name, 'none is left prepared')
  const list = left.map(([place, node]) => `${node.left} on ${place}`).join(', ')
  return problem(
    name,
    `left prepared: ${list}. Their events are invisible, acknowledged ones too, and their rows are locked`,
    'Once all nodes answer, Citus commits or rolls them back within citus.recover_2pc_interval; at once: select recover_prepared_transactions() on the coordinator, as a superuser. Do not roll them back by hand',
  )
}

function checkVersions(nodes: Nodes): Finding {
  const name = 'worker versions'
  const major = (version: string) => /^\d+(?:\.\d+)?/.exec(version)?.[0]
  const texts = nodes.map(([place, { server, citus }]) => `${place}: PostgreSQL ${server}, Citus ${citus}`)
  const isSame =
    new Set(nodes.map(([, { server, citus }]) => `${server.split('.', 1)[0]} ${major(citus)}`)).size === 1
  const [first] = nodes
  if (isSame) return ok(name, `Citus ${first?.[1].citus} on ${counted(nodes.length, 'node')}`)
  return warning(
    name,
    texts.join('; '),
    'Finish the upgrade: the same packages on all nodes, then alter extension citus update on each',
  )
}
