/**
 * Settings that the product promises or depends on, given on the command line at every start. Neither postgresql.conf
 * nor ALTER SYSTEM can override them.
 */
export function requiredSettings(port: number): readonly string[] {
  return settings({
    listen_addresses: '127.0.0.1',
    port: String(port),
    // A socket path is limited to 107 bytes, and the path of a data directory may be long.
    unix_socket_directories: '',
    // A device ack means committed, even after a power failure.
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // To standard error, which is postgres.log: one file, limited by `boundLog`.
    logging_collector: 'off',
    log_destination: 'stderr',
  })
}

/** Written to postgresql.conf when the cluster is created; change them there or with ALTER SYSTEM. */
export const initialSettings = settings({
  max_connections: '60',
  // The planner uses it for large aggregates, where compiling costs a small processor more than it saves.
  jit: 'off',
  log_checkpoints: 'off',
  // A poison row is found by bisection, with one error per step; logging each statement would take megabytes.
  log_min_error_statement: 'panic',
})

function settings(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
