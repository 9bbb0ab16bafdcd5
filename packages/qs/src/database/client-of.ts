import pg from 'pg'
import { currentUrl, type DatabaseUrl } from '../endpoints/database-url.ts'

/** For a pool, which makes clients as long as it lives, with the settings that it had at first. */
export function clientOf(url: DatabaseUrl): typeof pg.Client {
  return class extends pg.Client {
    constructor(config: pg.ClientConfig = {}) {
      super({ ...config, connectionString: currentUrl(url) })
    }
  }
}
