/** Who may import whom. docs/architecture.md has the same in words. */
const STAGES = 'source|decode|batch|sink|reply'
const INGESTER = '^packages/qs/src'

/** A rule that paths under `from` may import nothing that matches `to`. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbid('no-circles', 'A circle of imports is one module in several files', {}, { circular: true }),
    forbid('no-unresolvable', 'An import of something that is not there', {}, { couldNotResolve: true }),
    forbid(
      'no-undeclared',
      'Every package declares what it uses; the console ships none of it, but what its build makes of it',
      { path: '^packages/(?!console/)[^/]+/src' },
      {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'],
      },
    ),
    forbid(
      'protocol-is-pure',
      'The wire contract knows no other package and no I/O',
      { path: '^packages/protocol/src' },
      {
        path: '^(packages/(?!protocol/)|fs|net|tls|http|child_process|timers)',
      },
    ),
    forbid(
      'device-knows-protocol-only',
      'The device side shares the contract and nothing else',
      { path: '^packages/device/src' },
      {
        path: '^packages/(?!protocol/|device/)',
      },
    ),
    forbid(
      'console-knows-protocol-only',
      'The pages share the contract and nothing else',
      { path: '^packages/console/src' },
      {
        path: '^packages/(?!protocol/|console/)',
      },
    ),
    forbid(
      'nobody-imports-tests',
      'What ships does not depend on tests',
      { path: '^packages/[^/]+/src' },
      { path: '/test/' },
    ),
    forbid(
      'checker-is-pure',
      'The checker of the promises knows neither the pipeline nor its simulation: whoever observes tells it',
      { path: '^regression/checker\\.ts$' },
      { path: '.' },
    ),
    forbid(
      'nobody-imports-the-proof',
      'What ships does not depend on what proves it',
      { path: '^packages/' },
      { path: '^(regression|bench)/' },
    ),
    forbid(
      'pipeline-is-words',
      'The words of the pipeline know no stage',
      { path: `${INGESTER}/pipeline/` },
      { path: `${INGESTER}/(?!pipeline/)` },
    ),
    forbid(
      'stages-do-not-meet',
      'A stage imports pipeline, telemetry and protocol; never another stage, nor what composes them',
      { path: `${INGESTER}/(${STAGES})/` },
      { path: `${INGESTER}/(?!$1/|pipeline/|telemetry/)` },
    ),
    forbid(
      'only-app-composes',
      'app is the only place that sees every stage; cli sees app',
      { path: `${INGESTER}/(?!app/|${STAGES})` },
      { path: `${INGESTER}/(${STAGES})/` },
    ),
    forbid(
      'mqtt-in-its-places',
      'MQTT libraries: source, broker, accounts, doctor, attack, cli, device',
      { path: `${INGESTER}/(?!source/|broker/|accounts/|doctor/|attack/|cli/)` },
      {
        path: '^node_modules/(mqtt|mqtt-packet|aedes|ws)/',
      },
    ),
    forbid(
      'pg-in-its-places',
      'pg: sink, database, letters, hours and doctor; verify asks the database itself',
      {
        path: `${INGESTER}/(?!sink/|database/|letters/|hours/|doctor/|app/(forecast|letter|repair|replay)|cli/verif)`,
      },
      { path: '^node_modules/pg/' },
    ),
    forbid(
      'log-libraries-in-telemetry',
      'pino and prom-client: telemetry only',
      { path: `${INGESTER}/(?!telemetry/)` },
      {
        path: '^node_modules/(pino|pino-pretty|prom-client)/',
      },
    ),
    forbid(
      'config-has-the-settings',
      'commander: cli only',
      { path: `${INGESTER}/(?!cli/)` },
      { path: '^node_modules/commander/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'types', 'node', 'default'],
    },
    tsConfig: { fileName: 'tsconfig.base.json' },
  },
}
