import { MaxbrodError } from '../runtime/errors.ts'
import { nearest } from '../config/nearest.ts'
import type { Command } from './command.ts'

/** Every command, in the order of the help. Loaded when needed, so that one command does not wait for the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  backup: async () => (await import('./backup.ts')).backup,
  flush: async () => (await import('./flush.ts')).flush,
  plan: async () => (await import('./plan.ts')).plan,
  restore: async () => (await import('./restore.ts')).restore,
}

/** The command of that name; USAGE when there is none. */
export function findCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load !== undefined) return load()
  const meant = nearest(name, Object.keys(commands))
  throw new MaxbrodError('USAGE', `unknown command '${name}'`, {
    hint: meant === undefined ? 'maxbrod --help lists them' : `did you mean maxbrod ${meant}?`,
  })
}

export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(commands).map(load => load()))
}
