import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CliError, WRONG_USAGE } from './exit.ts'

/**
 * Lets a person change bytes in the editor of the environment, and returns them.
 *
 * @throws CliError where no editor is set, or where it ends with an error: then nothing is changed
 */
export function editText(content: Buffer, name: string): Buffer {
  // Not settings of ours: every program of a terminal asks for them.
  const editor = process.env.VISUAL || process.env.EDITOR
  if (!editor) {
    throw new CliError(
      `No editor: set VISUAL or EDITOR (EDITOR=nano qs deadletter fix …), or give the change with --merge '{"…":…}' or --file`,
      WRONG_USAGE,
    )
  }
  const directory = mkdtempSync(join(tmpdir(), 'qs-fix-'))
  try {
    const file = join(directory, name)
    writeFileSync(file, content, { mode: 0o600 })
    // By the shell, since it may have arguments: EDITOR="code --wait".
    const { status } = spawnSync(`${editor} "$QS_FILE"`, {
      shell: true,
      stdio: 'inherit',
      env: { ...process.env, QS_FILE: file },
    })
    if (status !== 0)
      throw new CliError(`The editor (${editor}) ended with ${status ?? 'a signal'}; nothing is changed`)
    return readFileSync(file)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
