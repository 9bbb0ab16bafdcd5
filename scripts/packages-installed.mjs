import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether `npm ci` or `npm install` has installed all that package-lock.json names: npm lists what it has installed in
 * node_modules/.package-lock.json. A package for another platform, or one that only such a package needs, may be
 * missing; with `libc`, npm installs one of two.
 *
 * @param {string} root
 */
export function packagesInstalled(root) {
  const list = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(list)) return false
  const [wanted, found] = [join(root, 'package-lock.json'), list].map(
    (file) => JSON.parse(readFileSync(file, 'utf8')).packages,
  )
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const { version, integrity } = found[path] ?? {}
    if (found[path] === undefined) return mayBeMissing(entry)
    return version === entry.version && integrity === entry.integrity
  })
}

function mayBeMissing({ optional, os, cpu, libc }) {
  if (!optional) return false
  if (os === undefined || libc !== undefined) return true
  return !os.includes(process.platform) || cpu?.includes(process.arch) === false
}
