import { fail } from './exit.ts'
import { guardOutput } from './guard-output.ts'
import { createProgram } from './program.ts'

// A closed pipe (qs tail | head) is not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

guardOutput(process.stdout)

try {
  const program = await createProgram(process.argv[2])
  await program.parseAsync()
} catch (error) {
  fail(error)
}
