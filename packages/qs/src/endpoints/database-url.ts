/** Where the database is. A function is asked at each connection, since a password in a file may change meanwhile. */
export type DatabaseUrl = string | (() => string)

export function currentUrl(url: DatabaseUrl): string {
  return typeof url === 'string' ? url : url()
}
