// Preloaded into every process of a test (NODE_OPTIONS): in the console process, GET /hog allocates memory without limit.
import { Server } from 'node:http'

if (process.argv[1]?.includes('console/process/main')) {
  const { emit } = Server.prototype
  Server.prototype.emit = function (event, ...args) {
    if (event === 'request' && args[0].url === '/hog') {
      // Large arrays: with resourceLimits, a worker thread would crash the whole process here (Node 20).
      for (const kept = []; ; ) kept.push(new Array(1_000_000).fill(kept.length))
    }
    return emit.call(this, event, ...args)
  }
}
