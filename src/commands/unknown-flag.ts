import { UnknownFlag } from '../config/command-line.ts'
import { declaredOptions } from '../config/declared.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { Command } from './command.ts'
import { allCommands } from './command-table.ts'
import type { CommandTable } from './command-table.ts'
import { otherFlags } from './other-flags.ts'

/** Commands that a hint names. */
const NAMED = 3

/**
 * Throws the error again. For a flag that the command does not have, with what takes its place: what is known of a flag of another
 * program, or the commands of ours that have it, before a name that looks like it.
 */
export async function throwBetterHint(error: unknown, { name }: Command, table: CommandTable): Promise<never> {
  if (!(error instanceof UnknownFlag)) throw error
  const hint = inItsPlace(error.flag, name) ?? takenBy(error.flag, await allCommands(table))
  if (hint === undefined) throw error
  throw new MaxbrodError(error.code, error.message, { ...error.facts, hint })
}

/** What takes the place of a flag of another program that no option of ours stands for. */
function inItsPlace(flag: string, command: string): string | undefined {
  const known = otherFlags.find(one => one.flags.includes(flag) && (one.of?.includes(command) ?? true))
  return known?.instead
}

function takenBy(flag: string, commands: readonly Command[]): string | undefined {
  const names = commands
    .filter(({ sections }) => declaredOptions(sections).some(({ flags }) => flags.some(({ name }) => name === flag)))
    .map(({ name }) => name)
  if (names.length === 0) return undefined
  const shown = names.slice(0, NAMED).join(', ')
  return `it is a flag of maxbrod ${shown}${names.length > NAMED ? ', …' : ''}`
}
