import { isTemporary } from '../kafka-errors.ts'
import type { KafkaErrorName } from '../kafka-errors.ts'

/** What an error under a generation tells of a membership. Temporary trouble tells nothing: the next heartbeat will. */
export type Doubt = 'the group rebalances' | 'fenced' | 'forgotten'

export function doubtOf(error: KafkaErrorName): Doubt | undefined {
  if (error === 'REBALANCE_IN_PROGRESS') return 'the group rebalances'
  if (error === 'FENCED_INSTANCE_ID') return 'fenced'
  return isTemporary(error) ? undefined : 'forgotten'
}

/** What a member does after a round of join and sync that failed; `wait` for as long as there is hope. */
export type Recovery = 'join again' | 'join anew' | 'end fenced' | 'end as a stranger' | 'wait'

export function recoveryFrom(error: KafkaErrorName): Recovery {
  switch (error) {
    case 'REBALANCE_IN_PROGRESS':
      return 'join again'
    case 'UNKNOWN_MEMBER_ID':
    case 'ILLEGAL_GENERATION':
      return 'join anew'
    case 'FENCED_INSTANCE_ID':
      return 'end fenced'
    case 'INCONSISTENT_GROUP_PROTOCOL':
      return 'end as a stranger'
    default:
      return 'wait'
  }
}

/** With another generation alone the group still knows our id, and would wait for it. */
export function keepsMemberId(error: KafkaErrorName): boolean {
  return error === 'ILLEGAL_GENERATION'
}
