import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { createProgram } from '../../qs/src/cli/program.ts'
import { SETTINGS } from '../../qs/src/config/settings.ts'

/*
 * Documentation against code: whatever a page names must exist. These tests check only that it exists; reviewers check
 * what a page says about it.
 */

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const IGNORED = new Set(['node_modules', '.git', 'dist'])

function filesOf(directory: string, isWanted: (path: string) => boolean): readonly string[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return IGNORED.has(entry.name) ? [] : filesOf(path, isWanted)
    return isWanted(path) ? [path] : []
  })
}

interface Page {
  readonly path: string
  readonly text: string
  /** Without code. */
  readonly prose: string
  /** The lines of code blocks and the texts between backticks. */
  readonly code: readonly string[]
}

const FENCE = /^```[^\n]*\n(.*?)^```/gms

const pages: readonly Page[] = filesOf('', (path) => path.endsWith('.md')).map((path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const outside = text.replace(FENCE, '')
  return {
    path,
    text,
    prose: outside.replace(/`[^`\n]+`/g, ''),
    code: [
      ...[...text.matchAll(FENCE)].flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n')),
      ...[...outside.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span),
    ],
  }
})

/** Names that look like the product's but belong to an example. */
const OF_EXAMPLES: ReadonlySet<string> = new Set(['qs_trial'])

/** Lines in which qs is a role or a database. */
const OF_POSTGRESQL = /\b(psql|createdb|dropdb|alter role|pg_\w+)\b/

/** Current pages; a past decision or change may name what no longer exists. */
const present = pages.filter(({ path }) => path !== 'CHANGELOG.md' && !path.startsWith('docs/decisions/'))

function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.replace(FENCE, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return new Set(headings)
}

test('every link of a page leads to a file, and to a heading of it', () => {
  const broken = pages.flatMap(({ path, prose, text }) =>
    [...prose.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#')
        const target = file === '' ? path : normalize(join(dirname(path), file))
        if (!existsSync(join(ROOT, target))) return true
        return anchor !== undefined && target.endsWith('.md') && !anchorsOf(readPage(target)).has(anchor)
      })
      .map((link) => `${path}: ${link}`),
  )
  assert.deepEqual(broken, [])
})

test('every source file that a page names exists', () => {
  const sources = filesOf('', (path) => /\.(ts|mjs|cjs|svelte|sh|sql|py|ino|h|cpp|yaml|conf)$/.test(path))
  const missing = present.flatMap(({ path, code }) =>
    code
      .flatMap((line) => [...line.matchAll(/(?:[\w.-]+\/)*[\w.-]+\.(?:ts|mjs|cjs|svelte|sql)\b/g)])
      .map(([name]) => name.replace(/^\.\//, ''))
      .filter((name) => !sources.some((source) => source === name || source.endsWith(`/${name}`)))
      .map((name) => `${path}: ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('each flow of the architecture page has as many files as its heading says, each once', () => {
  const flows = readPage('docs/architecture.md')
    .split(/^##+ /m)
    .flatMap((section) => {
      const count = /: (\d+) files/.exec(section.split('\n')[0] ?? '')?.[1]
      return count === undefined ? [] : [{ section, count: Number(count) }]
    })
  assert.equal(flows.length, 4)
  for (const { section, count } of flows) {
    const files = [...section.matchAll(/`([\w/-]+\.ts)`/g)].map(([, file = '']) => file)
    assert.equal(new Set(files).size, count, section)
    assert.equal(files.length, count, section)
    for (const file of files) assert.ok(existsSync(join(ROOT, 'packages/qs/src', file)), file)
  }
})

test('every npm script that a page names exists', () => {
  const scripts = Object.keys(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts)
  const missing = present.flatMap(({ path, code }) =>
    code
      .flatMap((line) => [...line.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)])
      .map(([, name = '']) => name)
      .filter((name) => !scripts.includes(name))
      .map((name) => `${path}: npm run ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('every command of qs that a page names exists, with its options', async () => {
  const program = await createProgram()
  const wrong = present.flatMap(({ path, code }) =>
    code
      .filter((line) => !OF_POSTGRESQL.test(line))
      .flatMap((line) =>
        [...line.matchAll(/(?:^|[\s;&|(])qs ((?:[a-z][\w-]*|--?[a-z])[^#|;&)]*)/g)].flatMap(
          ([, call = '']) => {
            const [command = ''] = call.split(/,? (?:or|and) /)
            const words = command.split(/\s+/).map((word) => word.replace(/[,.:]$/, ''))
            const problem = problemOf(program, words)
            return problem === null ? [] : [`${path}: qs ${call.trim()}: ${problem}`]
          },
        ),
      ),
  )
  assert.deepEqual(wrong, [])
})

function problemOf(program: Command, words: readonly string[]): string | null {
  let command = program
  let at = 0
  for (; at < words.length; at++) {
    const next = command.commands.find((each) => each.name() === words[at])
    if (next === undefined) break
    command = next
  }
  if (command === program) return /^(--help|-h|--version|-V)$/.test(words[0] ?? '') ? null : 'no such command'
  if (command.commands.length > 0 && /^[a-z-]+$/.test(words[at] ?? '')) return `no such command: ${words[at]}`
  const known = new Set(['--help', '-h', ...command.options.flatMap(({ long, short }) => [long, short])])
  const options = words.slice(at).flatMap((word) => /^(--[a-z][\w-]*)/.exec(word)?.[1] ?? [])
  const unknown = options.filter((option) => !known.has(option))
  return unknown.length === 0 ? null : `no such option: ${unknown.join(' ')}`
}

test('every setting that a page names is a setting, or a variable of a file beside it', () => {
  const others = filesOf('', (path) =>
    /\.(ts|mjs|cjs|sh|yaml|yml|py|ino|h|cpp|conf|sql)$|Dockerfile$|(^|\/)run$/.test(path),
  )
    .filter((path) => basename(path) !== 'docs.test.ts')
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n')
  const words = new Set(others.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g))
  const isKnown = (name: string) => Object.hasOwn(SETTINGS, name.replace(/_FILE$/, '')) || words.has(name)
  const unknown = present.flatMap(({ path, code }) =>
    code
      .flatMap((line) => [...line.matchAll(/(?<![\w$-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b(?!…)/g)])
      .map(([name]) => name)
      .filter((name) => !isKnown(name))
      .map((name) => `${path}: ${name}`),
  )
  assert.deepEqual([...new Set(unknown)], [])
})

test('every metric that a page names exists', () => {
  const metrics = readPage('docs/reference/metrics.md')
  const dashboards = filesOf('deploy/grafana', (path) => /\.(json|yaml)$/.test(path))
    .map(readPage)
    .join('\n')
  const schema = filesOf('packages/qs/migrations', (path) => path.endsWith('.sql'))
    .map(readPage)
    .join('\n')
  const scripts = [
    ...filesOf('deploy', (path) => /\.(sh|sql|yaml)$/.test(path)),
    ...filesOf('device', (path) => path.endsWith('.py')),
  ]
    .map(readPage)
    .join('\n')
  const unknown = present
    .filter(({ path }) => path !== 'docs/reference/metrics.md')
    .flatMap(({ path, code }) =>
      code
        .flatMap((line) => [...line.matchAll(/\bqs_[a-z_]+[a-z]\b/g)])
        .map(([name]) => name.replace(/_(bucket|sum|count)$/, ''))
        .filter(
          (name) =>
            !OF_EXAMPLES.has(name) &&
            ![metrics, dashboards, schema, scripts].some((text) => text.includes(name)),
        )
        .map((name) => `${path}: ${name}`),
    )
  assert.deepEqual(unknown, [])
})

function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
