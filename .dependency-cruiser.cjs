/** Who may import whom. docs/architecture.md has the same in words. */
const STAGES = 'source|batch|decode|sink|reply'
const QS = '^packages/qs/src'

/** The folders of packages/qs/src, from the bottom up: a folder imports only from the layers below its own. */
const LAYERS = require('./packages/qs/layers.json').map(Object.keys)

/** A rule that paths under `from` may import nothing that matches `to`. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

module.exports = {
  forbidden: [
    forbid('no-circles', 'A circle of imports is one module in several files', {}, { circular: true }),
    forbid('no-unresolvable', 'An import of something that is not there', {}, { couldNotResolve: true }),
    forbid(
      'no-undeclared',
      'Every package declares what it uses, except what ships none of it: the console is built, and testing is for tests',
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
      'A stage imports pipeline, telemetry and config: neither another stage nor a database connection',
      { path: `${QS}/(${STAGES})/` },
      { path: `${QS}/(?!$1/|pipeline/|telemetry/|config/)` },
    ),
    forbid(
      'app-composes-the-stages',
      'Only app sees every stage; letters judge with decode and sink, the console decodes what it watches',
      { path: `${QS}/(?!app/|letters/|console/|${STAGES})` },
      { path: `${QS}/(${STAGES})/` },
    ),
    forbid(
      'mqtt-in-its-places',
      'MQTT libraries: whatever talks to a broker, or is one',
      { path: `${QS}/(?!source/|embedded/broker/|accounts/|letters/|doctor/|attack/|cli/)` },
      { path: '^node_modules/(mqtt|mqtt-packet|aedes|ws)/' },
    ),
    forbid(
      'pg-in-its-places',
      'pg: database and whatever asks it; pages and commands ask through database',
      {
        path: `${QS}/(?!sink/|database/|embedded/postgres/|backup/|letters/|devices/|hours/|doctor/|cli/verif)`,
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
    // The library of deploy/grafana has packages of its own, which are there for its tests only.
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
