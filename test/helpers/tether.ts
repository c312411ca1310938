import { spawnSync } from 'node:child_process'

let setpriv: boolean | undefined

/**
 * The command line that runs a program so that it dies with this process, by SIGKILL too, even while it is stopped by
 * SIGSTOP. `setpriv` (util-linux, so on every Debian) sets the kernel's parent-death signal and becomes the program:
 * same process id. Without it the command is unchanged, and JVMs still have maxbrod.Tether.
 */
export function tethered(command: string, args: readonly string[]): [command: string, args: string[]] {
  setpriv ??= spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0
  return setpriv ? ['setpriv', ['--pdeathsig', 'KILL', '--', command, ...args]] : [command, [...args]]
}
