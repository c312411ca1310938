import type { Vitals } from '../../observe/vitals.ts'
import type { Clock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'
import type { Coordinator } from './coordinator.ts'
import type { Membership } from './membership.ts'

const INTERVAL_MS_MAX = 3_000

export interface HeartbeatDeps {
  readonly coordinator: Pick<Coordinator, 'heartbeat'>
  readonly member: Membership
  readonly clock: Clock
  readonly vitals: Pick<Vitals, 'during'>
  readonly groupId: string
  readonly sessionTimeoutMs: number
  /** Hears what the coordinator has against a generation. */
  readonly doubt: (generation: number, error: KafkaErrorName) => void
  readonly onEvent: (event: string, facts: Record<string, unknown>) => void
}

/** Sends heartbeats for as long as the session lives, whatever else it is doing. */
export async function sendHeartbeats(deps: HeartbeatDeps, closing: AbortSignal): Promise<void> {
  const { coordinator, member, clock, vitals, groupId, sessionTimeoutMs, doubt, onEvent } = deps
  const intervalMs = Math.min(INTERVAL_MS_MAX, sessionTimeoutMs / 3)
  while (!closing.aborted) {
    await clock.sleep(intervalMs, closing)
    const { generation } = member
    // While a join waits, the coordinator keeps us in; a heartbeat would only queue up behind it.
    if (closing.aborted || member.isJoining || generation < 0) continue
    const sentAtMs = clock.monotonic()
    try {
      await vitals.during(`a heartbeat to group ${groupId}`, () => coordinator.heartbeat(member.memberId, generation))
      member.prove(sentAtMs)
    } catch (error) {
      if (closing.aborted) return
      if (!(error instanceof KafkaError)) onEvent('a heartbeat failed', { reason: messageOf(error) })
      else {
        // The group counts us in, else it would not ask us to join again.
        if (error.error === 'REBALANCE_IN_PROGRESS') member.prove(sentAtMs)
        doubt(generation, error.error)
      }
    }
  }
}
