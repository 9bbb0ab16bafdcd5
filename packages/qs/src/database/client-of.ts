import pg from 'pg'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'

/** A client class for pools that reads the current URL for each connection; a pool itself keeps its first settings. */
export function clientOf(url: DatabaseUrl): typeof pg.Client {
  return class extends pg.Client {
    constructor(config: pg.ClientConfig = {}) {
      super({ ...config, connectionString: currentUrl(url) })
    }
  }
}
