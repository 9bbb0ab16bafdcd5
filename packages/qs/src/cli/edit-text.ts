import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processEnvironment, readVariable } from '../config/environment.ts'
import { CliError, WRONG_USAGE } from './exit.ts'

/**
 * Opens bytes in the user's editor and returns the edited bytes.
 *
 * @throws CliError if no editor is set, or if it exits with an error: then nothing is changed
 */
export function editText(content: Buffer, name: string): Buffer {
  const editor = readVariable('VISUAL') ?? readVariable('EDITOR')
  if (!editor) {
    throw new CliError(
      `No editor: set VISUAL or EDITOR (EDITOR=nano qs deadletter fix …), or use --merge '{"…":…}' or --file`,
      WRONG_USAGE,
    )
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
    if (status !== 0)
      throw new CliError(`The editor (${editor}) ended with ${status ?? 'a signal'}; nothing was changed`)
    return readFileSync(file)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
