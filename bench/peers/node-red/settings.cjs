// Settings of Node-RED for the bench: no editor, and the function that the function node calls.
const { store } = require('./store.cjs')

module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.NODE_RED_PORT),
  httpAdminRoot: false,
  httpNodeRoot: false,
  readOnly: true,
  credentialSecret: false,
  externalModules: { palette: { allowInstall: false }, modules: { allowInstall: false } },
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: 'info' } },
  functionGlobalContext: { store },
}
