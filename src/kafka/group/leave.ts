import type { Clock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { within } from '../../runtime/within.ts'
import type { Coordinator } from './coordinator.ts'

/** How long leaving may take: whoever stops a process does not wait for ever. */
const LEAVE_MS = 5_000

/** Says to the group that a member will not come back. Never throws; returns why that may not have been heard. */
export async function sayGoodbye(
  coordinator: Pick<Coordinator, 'leave'>,
  memberId: string,
  clock: Clock,
): Promise<string | undefined> {
  if (memberId === '') return undefined
  const left = coordinator.leave(memberId).then(
    () => 'left',
    (error: unknown) => messageOf(error),
  )
  const outcome = (await within(clock, LEAVE_MS, left)) ?? 'no answer'
  return outcome === 'left' ? undefined : outcome
}
