/**
 * Most bytes of text in a page of a list or a part of an export. A legal event takes up to 48 KB, so a thousand of them
 * would take 48 MB, several times over while they become an answer. Two thousand usual events fit.
 */
const PAGE_BYTES = 2 * 1024 * 1024

/** What a query within bytes adds to each row. */
export interface Measured {
  readonly bytes: number
  /** Rows that the page had before it was cut; what is missing comes with the next page. */
  readonly pageRows: number
  readonly bytesBefore: number
}

/**
 * Ends a page early, in PostgreSQL, so that what exceeds the bound never leaves it. The first row always stays.
 *
 * @param page a query with a column `bytes`, in this order and with a limit
 * @param order of columns of the page
 */
export function withinBytes(page: string, order: string): string {
  return `
select * from (
  select p.*, count(*) over ()::int as "pageRows",
    (sum(p.bytes) over (order by ${order} rows unbounded preceding) - p.bytes)::float8 as "bytesBefore"
  from (${page}) p) q
where "bytesBefore" < ${PAGE_BYTES} order by ${order}`
}
