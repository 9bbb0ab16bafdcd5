import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processEnvironment, readVariable } from '../config/environment.ts'
import { QsError } from '../errors/qs-error.ts'

/**
 * Opens bytes in the user's editor and returns the edited bytes.
 *
 * @throws QsError if no editor is set, or if it exits with an error: then nothing is changed
 */
export function editText(content: Buffer, name: string): Buffer {
  const editor = readVariable('VISUAL') ?? readVariable('EDITOR')
  if (!editor) {
    throw new QsError('NO_EDITOR', 'No editor is set')
  }
  const directory = mkdtempSync(join(tmpdir(), 'qs-fix-'))
  try {
    const file = join(directory, name)
    writeFileSync(file, content, { mode: 0o600 })
    // Through the shell, since it may have arguments: EDITOR="code --wait".
    const { status } = spawnSync(`${editor} "$QS_FILE"`, {
      shell: true,
      stdio: 'inherit',
      env: { ...processEnvironment(), QS_FILE: file },
    })
    if (status !== 0) {
      throw new QsError('CANCELLED', `The editor (${editor}) ended with ${status ?? 'a signal'}`)
    }
    return readFileSync(file)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
