const KEY = 'qs-reloaded'
/** A page that cannot be loaded again so soon is not a matter of a moment. */
const AGAIN_MS = 15_000

/**
 * Loads the whole page again, if that was not done just now: its scripts may belong to an earlier version of the console, or
 * a change of network has ended their requests. The browser does not ask for a script again that it could not get.
 *
 * @returns false if nothing happens
 */
export function reloadOnce(): boolean {
  const lastMs = Number(sessionStorage.getItem(KEY) ?? 0)
  if (Date.now() - lastMs < AGAIN_MS) return false
  sessionStorage.setItem(KEY, String(Date.now()))
  location.reload()
  return true
}
