import { nearest } from '../config/nearest.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Command } from './command.ts'

export type CommandTable = Readonly<Record<string, () => Promise<Command>>>

/** Every command, in the order of the help. Loaded when needed, so that one command does not wait for the others. */
export const commandTable: CommandTable = {
  backup: async () => (await import('./backup.ts')).backup,
  flush: async () => (await import('./flush.ts')).flush,
  plan: async () => (await import('./plan.ts')).plan,
  restore: async () => (await import('./restore.ts')).restore,
  finalize: async () => (await import('./finalize.ts')).finalize,
  'groups-backup': async () => (await import('./groups-backup.ts')).groupsBackup,
  'groups-restore': async () => (await import('./groups-restore.ts')).groupsRestore,
  check: async () => (await import('./check.ts')).check,
  topics: async () => (await import('./topics.ts')).topics,
  reset: async () => (await import('./reset.ts')).reset,
  ls: async () => (await import('./ls.ts')).ls,
  describe: async () => (await import('./describe.ts')).describe,
  inspect: async () => (await import('./inspect.ts')).inspect,
  coverage: async () => (await import('./coverage.ts')).coverage,
  report: async () => (await import('./report.ts')).report,
  compact: async () => (await import('./compact.ts')).compact,
  rewrap: async () => (await import('./rewrap.ts')).rewrap,
  verify: async () => (await import('./verify.ts')).verify,
  prune: async () => (await import('./prune.ts')).prune,
  drill: async () => (await import('./drill.ts')).drill,
  status: async () => (await import('./status.ts')).status,
}

/** Commands that are about maxbrod itself: they take words, and have no options of their own. */
export const helpers = {
  'config show': 'the options of a command, and where each comes from',
  completion: 'a script that completes commands and flags in bash, zsh or fish',
} as const

/** What other programs call our commands, and the flags that make them mean the same. */
const otherNames: Readonly<Record<string, readonly [command: string, ...flags: string[]]>> = {
  'topics-backup': ['backup'],
  'topics-plan-restore': ['plan'],
  'topics-restore': ['restore'],
  'consumer-groups-backup': ['groups-backup'],
  'consumer-groups-restore': ['groups-restore', '--execute'],
  'list-topics': ['topics'],
  'backup-info': ['ls', '--with-points'],
  'reset-cursor': ['reset', '--to', 'beginning'],
}

/** The command line in our own words. */
export function inOurWords([name = '--help', ...flags]: readonly string[]): readonly [string, ...string[]] {
  const [command, ...own] = Object.hasOwn(otherNames, name) ? (otherNames[name] ?? [name]) : [name]
  return [command, ...own, ...flags]
}

/** The command of that name; USAGE when there is none. */
export function findCommand(table: CommandTable, name: string): Promise<Command> {
  const load = Object.hasOwn(table, name) ? table[name] : undefined
  if (load !== undefined) return load()
  const meant = nearest(name, Object.keys(table))
  throw new MaxbrodError('USAGE', `unknown command '${name}'`, {
    hint: meant === undefined ? 'maxbrod --help lists them' : `did you mean maxbrod ${meant}?`,
  })
}

export function allCommands(table: CommandTable): Promise<Command[]> {
  return Promise.all(Object.values(table).map(load => load()))
}
