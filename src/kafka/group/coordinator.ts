import type { CommittedPartition, OffsetCommitRequest } from '../protocol/offset-commit.ts'

/** What a member asks of its group's coordinator. Every verb throws KafkaError and never retries. */
export interface Coordinator {
  join(memberId: string, subscription: Buffer): Promise<JoinedGroup>
  sync(
    joined: JoinedGroup,
    assignments: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[],
  ): Promise<Buffer>
  heartbeat(memberId: string, generation: number): Promise<void>
  commit(
    member: { readonly memberId: string; readonly generation: number },
    offsets: OffsetCommitRequest['offsets'],
  ): Promise<CommittedPartition[]>
  leave(memberId: string): Promise<void>
  close(): void
}

export interface JoinedGroup {
  readonly generation: number
  readonly memberId: string
  /** All members with their subscriptions when we lead; empty otherwise. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]
}
