/** PostgreSQL manual, appendix A: insufficient_privilege. */
const NOT_ALLOWED = '42501'

/**
 * Runs `remove`. If the role may not delete events, as that of the ingester, the rows of `owner` stay, with a note.
 *
 * @returns whether the rows were removed
 */
export async function removeRows(owner: string, remove: () => Promise<unknown>): Promise<boolean> {
  try {
    await remove()
    return true
  } catch (error) {
    if ((error as { readonly code?: string }).code !== NOT_ALLOWED) throw error
    console.error(`The rows of ${owner} stay: the role in DATABASE_URL may not delete events.`)
    return false
  }
}
