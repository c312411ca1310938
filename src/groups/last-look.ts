import type { GroupsRestoreOptions } from './restore-options.ts'

export interface Looking {
  /** True when somebody has asked the command to stop. */
  readonly isStopping: boolean
  readonly elapsedMs: number
  /** How long nothing that is waited for has come. */
  readonly stillMs: number
}

export interface Look {
  /** True when no other look follows. */
  readonly isLast: boolean
  /** True when what is still waited for is not to come: groups go on with what is there of them. */
  readonly isFinal: boolean
  /** True when of targets that no plan speaks of, what is there is all there is. */
  readonly isAllHere: boolean
}

/**
 * Which look at the restore this one is. To be asked to stop says nothing about the restore: what is unfinished then stays so,
 * for the next run. That nothing came for long does not tell that `timeout` is over.
 */
export function lookOf(
  { execute, timeout, giveUpAfter }: Pick<GroupsRestoreOptions, 'execute' | 'timeout' | 'giveUpAfter'>,
  { isStopping, elapsedMs, stillMs }: Looking,
): Look {
  const isTimeOver = timeout !== undefined && elapsedMs >= timeout
  const isFinal = !execute || isTimeOver || (!isStopping && stillMs >= giveUpAfter)
  return { isLast: isFinal || isStopping, isFinal, isAllHere: !execute || timeout === undefined || isTimeOver }
}
