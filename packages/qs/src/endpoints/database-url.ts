/** The URL of the database. A function is called for each connection, since a password in a file may change. */
export type DatabaseUrl = string | (() => string)

export function currentUrl(url: DatabaseUrl): string {
  return typeof url === 'string' ? url : url()
}
