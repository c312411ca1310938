import type { CommittedPartition, OffsetCommitRequest } from '../protocol/offset-commit.ts'

/** What a member asks of its group's coordinator. Every verb throws KafkaError and never retries. */
export interface Coordinator {
  /** `onNamed` hears the id that the coordinator gives to a new dynamic member as soon as it is known (KIP-394). */
  join(memberId: string, subscription: Buffer, onNamed: (memberId: string) => void): Promise<JoinedGroup>
  sync(
    joined: JoinedGroup,
    assignments: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[],
  ): Promise<Buffer>
  heartbeat(memberId: string, generation: number): Promise<void>
  commit(
    member: { readonly memberId: string; readonly generation: number },
    offsets: OffsetCommitRequest['offsets'],
  ): Promise<CommittedPartition[]>
  /** Fails what is under way, and all that is asked later except `leave`: a join may wait for others for a minute. */
  abort(): void
  leave(memberId: string): Promise<void>
  close(): void
}

export interface JoinedGroup {
  readonly generation: number
  readonly memberId: string
  readonly leaderId: string
  /** All members with their subscriptions when we lead; empty otherwise. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
}
