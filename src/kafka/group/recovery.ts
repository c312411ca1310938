import type { Clock } from '../../runtime/clock.ts'
import { MaxbrodError, messageOf } from '../../runtime/errors.ts'
import { backoffMs } from '../../runtime/retry.ts'
import { KafkaError, endingOf } from '../kafka-errors.ts'
import type { GroupOptions } from '../port/membership.ts'
import { recoveryFrom } from './group-errors.ts'
import type { Membership } from './membership.ts'
import { isWorthAnotherTry } from './patience.ts'

const BACKOFF = { initialMs: 100, maxMs: 2_000 }

export interface RecoveryDeps {
  readonly member: Membership
  readonly options: Pick<GroupOptions, 'groupId' | 'instanceId' | 'sessionTimeoutMs'>
  readonly clock: Clock
  readonly random: () => number
  readonly startedAtMs: number
  readonly joinDeadlineMs: number
  readonly onEvent: (event: string, facts: Record<string, unknown>) => void
}

/** After a failed round: waits until another one may help, or throws what this member ends by. `failures` in a row before. */
export async function recover(
  error: unknown,
  failures: number,
  deps: RecoveryDeps,
  closing: AbortSignal,
): Promise<void> {
  const { member, options, clock, random } = deps
  if (!(error instanceof KafkaError)) return waitForCluster(error, deps, closing)
  switch (recoveryFrom(error.error)) {
    case 'join again':
      break
    case 'join anew':
      member.forget(error.error)
      break
    case 'end fenced':
      return endFenced(error, deps, closing)
    case 'end as a stranger':
      throw new MaxbrodError('GROUP_PROTOCOL', `group ${options.groupId} is used by consumers of another kind`, {
        cause: error,
        hint: 'choose another --group-id',
      })
    case 'wait':
      await waitForCluster(error, deps, closing)
  }
  if (failures > 0) await clock.sleep(backoffMs(BACKOFF, failures, random), closing)
}

/** Throws what time does not heal, and what it did not heal in time. */
async function waitForCluster(error: unknown, deps: RecoveryDeps, closing: AbortSignal): Promise<void> {
  const { member, options, clock, startedAtMs, joinDeadlineMs, onEvent } = deps
  const isMember = member.provenAtMs > -Infinity
  const sinceMs = clock.monotonic() - Math.max(member.provenAtMs, startedAtMs)
  if (!isWorthAnotherTry(error, { isMember, sinceMs, joinDeadlineMs }))
    throw error instanceof KafkaError ? endingOf(error, `join group ${options.groupId}`) : error
  onEvent('cannot reach the group, trying again', { reason: messageOf(error) })
  await clock.sleep(BACKOFF.initialMs, closing)
}

/**
 * Another process joined under our name. Ending at once would let a supervisor restart us at once, and the two would take
 * the name from each other for ever: hence the pause.
 */
async function endFenced(cause: KafkaError, deps: RecoveryDeps, closing: AbortSignal): Promise<never> {
  const { groupId, instanceId, sessionTimeoutMs } = deps.options
  deps.member.lose('another process took our name')
  await deps.clock.sleep(sessionTimeoutMs, closing)
  throw new MaxbrodError('GROUP_FENCED', `another process joined group ${groupId} as ${instanceId ?? ''}`, {
    cause,
    hint: 'give each worker its own --worker-name and --working-dir',
    groupId,
    instanceId,
  })
}
