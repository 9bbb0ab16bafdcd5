/**
 * Maximum bytes of text in a page of a list or a part of an export. A valid event takes up to 48 KB, so a thousand of
 * them would take 48 MB, several times over while the answer is built. Two thousand typical events fit.
 */
const PAGE_BYTES = 2 * 1024 * 1024

/** Columns that withinBytes adds to each row. */
export interface Measured {
  readonly bytes: number
  /** Rows of the page before it was cut; the missing ones come with the next page. */
  readonly pageRows: number
  readonly bytesBefore: number
}

/**
 * Cuts a page in PostgreSQL, so that rows beyond the limit are never sent. The first row always stays.
 *
 * @param page a query with a column `bytes`, in this order and with a limit
 * @param order the order, by columns of the page
 */
export function withinBytes(page: string, order: string): string {
  return `
select * from (
  select p.*, count(*) over ()::int as "pageRows",
    (sum(p.bytes) over (order by ${order} rows unbounded preceding) - p.bytes)::float8 as "bytesBefore"
  from (${page}) p) q
where "bytesBefore" < ${PAGE_BYTES} order by ${order}`
}
