import pg from 'pg'

/** Where the database is. A function is asked at each connection, since a password in a file may change meanwhile. */
export type DatabaseUrl = string | (() => string)

export function currentUrl(url: DatabaseUrl): string {
  return typeof url === 'string' ? url : url()
}

/** For a pool, which makes clients as long as it lives, with the settings that it had at first. */
export function clientOf(url: DatabaseUrl): typeof pg.Client {
  return class extends pg.Client {
    constructor(config: pg.ClientConfig = {}) {
      super({ ...config, connectionString: currentUrl(url) })
    }
  }
}
