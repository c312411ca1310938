import { spawnSync } from 'node:child_process'
import { root } from '../runner/files.ts'

/** Runs a tool of the machine to its end, in the project's folder, and returns what it printed; throws when it is missing or fails. */
export function runTool(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  })
  if (error !== undefined) throw new Error(`${command} is needed for this`, { cause: error })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
