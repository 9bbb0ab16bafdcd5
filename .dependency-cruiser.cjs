/** Which folder may import which; docs/architecture.md explains the rules. */
const STAGES = 'intake|source|batch|decode|sink|reply'
const QS = '^packages/qs/src'

/** The folders of packages/qs/src, from the bottom up: a folder imports only from the layers below its own. */
const LAYERS = require('./packages/qs/layers.json').map(Object.keys)

/** A rule that paths under `from` may import nothing that matches `to`. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbid('no-circles', 'A cycle of imports is one module in several files', {}, { circular: true }),
    forbid('no-unresolvable', 'The imported file does not exist', {}, { couldNotResolve: true }),
    forbid(
      'no-undeclared',
      'Every package declares its dependencies, except the console, which is bundled, and testing, which is not shipped',
      { path: '^packages/(?!console/|testing/)[^/]+/src' },
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
      'Shipped code does not depend on tests',
      { path: '^packages/[^/]+/src' },
      { path: '/test/' },
    ),
    forbid(
      'checker-is-pure',
      'The checker of the promises knows neither the pipeline nor its simulation: the observer reports to it',
      { path: '^regression/checker\\.ts$' },
      { path: '.' },
    ),
    forbid(
      'nobody-imports-the-proof',
      'Shipped code does not depend on the code that tests its promises',
      { path: '^packages/' },
      { path: '^(regression|bench)/' },
    ),
    ...LAYERS.map((layer, index) =>
      forbid(
        `${layer.join('-')}-imports-downwards`,
        'A folder imports from its own and from the layers below it; LAYERS has the order',
        { path: `${QS}/(${layer.join('|')})/` },
        { path: `${QS}/(?!${['$1', ...LAYERS.slice(0, index).flat()].join('/|')}/)` },
      ),
    ),
    forbid(
      'stages-know-the-pipeline-only',
      'A stage imports errors, pipeline, telemetry and config: neither another stage nor a database connection',
      { path: `${QS}/(${STAGES})/` },
      { path: `${QS}/(?!$1/|errors/|pipeline/|telemetry/|config/)` },
    ),
    forbid(
      'app-composes-the-stages',
      'Only app imports every stage; letters use decode and sink to judge a replay, import to store events, the console decodes the messages it watches',
      { path: `${QS}/(?!app/|letters/|import/|console/|broker/|embedded/broker/|${STAGES})` },
      { path: `${QS}/(${STAGES})/` },
    ),
    forbid(
      'broker-knows-the-intake-only',
      'The broker of qs up hands events to the intake and knows no other stage',
      { path: `${QS}/(broker|embedded/broker)/` },
      { path: `${QS}/(${STAGES.replace('intake|', '')})/` },
    ),
    forbid(
      'mqtt-in-its-places',
      'MQTT libraries: only in folders that connect to a broker or implement one',
      {
        path: `${QS}/(?!source/|endpoints/|embedded/broker/|accounts/|alerts/|letters/|doctor/|verify/|attack/|cli/)`,
      },
      { path: '^node_modules/(mqtt|mqtt-packet|ws)/' },
    ),
    forbid(
      'pg-in-its-places',
      'pg: only in database and in folders with their own queries; pages and commands go through database',
      {
        path: `${QS}/(?!sink/|database/|embedded/postgres/|backup/|cold/|letters/|devices/|hours/|doctor/|cli/verif)`,
      },
      { path: '^node_modules/pg/' },
    ),
    forbid(
      'log-libraries-in-telemetry',
      'pino and prom-client: telemetry only',
      { path: `${QS}/(?!telemetry/)` },
      {
        path: '^node_modules/(pino|pino-pretty|prom-client)/',
      },
    ),
    forbid(
      'config-has-the-settings',
      'commander: cli only',
      { path: `${QS}/(?!cli/)` },
      { path: '^node_modules/commander/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // deploy/grafana/library has its own packages, which only its tests install.
    exclude: { path: '/dist/|^deploy/grafana/library/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'types', 'node', 'default'],
    },
    tsConfig: { fileName: 'tsconfig.base.json' },
  },
}
