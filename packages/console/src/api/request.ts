import { session } from '../app/session.svelte.ts'
import { ApiError, problemOf } from './problem.ts'

/**
 * A change of network ends all requests of a browser, also those to its own machine: a container that starts is one. What
 * only reads is asked again after these times.
 */
const RETRY_MS = [300, 1_000, 3_000]

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

/** An API path with its query string; a list repeats the name for each item. */
export function apiUrl(path: string, query: Query = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

/** @throws ApiError, whose message says what to do */
export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return ask<T>(apiUrl(path, query), signal === undefined ? {} : { signal })
}

/** @throws ApiError */
export async function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  if (body === undefined) return ask<T>(path, { method })
  return ask<T>(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  const response = await reach(url, init)
  if (response.status === 401 && url !== '/api/login') session.lost()
  if (!response.ok) throw await problemOf(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  for (const waitMs of [...(init.method === undefined ? RETRY_MS : []), null])
    try {
      return await fetch(url, init)
    } catch (error) {
      if ((error as Error).name === 'AbortError') throw error
      if (waitMs === null) break
      await new Promise((passed) => setTimeout(passed, waitMs))
    }
  throw new ApiError(0, 'The server cannot be reached. Is qs running?')
}
