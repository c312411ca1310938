import type { GroupListener, GroupOptions, GroupSession, Ownership } from '../../src/kafka/port/membership.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { partitionName } from '../../src/runtime/topic-partition.ts'

/** A member of a group that notes what its listener hears. */
export interface TestMember extends AsyncDisposable {
  readonly session: GroupSession
  /** `assigned t-0`, `revoked t-0`, `lost t-0`, in order. */
  readonly heard: string[]
  /** Names of the partitions that it owns, sorted. */
  owned(): string[]
  ownership(partition: string): Ownership
}

export type MemberOptions = Partial<Omit<GroupOptions, 'listener'>> &
  Pick<GroupOptions, 'groupId'> & {
    readonly topics: RegExp
    readonly listener?: Partial<GroupListener>
    readonly signal?: AbortSignal
  }

export async function joinGroup(
  kafka: Kafka,
  { topics, listener = {}, signal, ...options }: MemberOptions,
): Promise<TestMember> {
  const heard: string[] = []
  const note = (what: string, partitions: readonly Ownership[]) => {
    for (const partition of partitions) heard.push(`${what} ${partitionName(partition)}`)
  }
  const session = await kafka.joinGroup(
    {
      instanceId: undefined,
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 20_000,
      metadataRefreshMs: 300,
      selection: { fingerprint: topics.source, names: undefined, matches: ({ name }) => topics.test(name) },
      ...options,
      listener: {
        assigned(partitions) {
          note('assigned', partitions)
          listener.assigned?.(partitions)
        },
        async revoked(partitions) {
          await listener.revoked?.(partitions)
          note('revoked', partitions)
        },
        lost(partitions) {
          note('lost', partitions)
          listener.lost?.(partitions)
        },
      },
    },
    signal,
  )
  return {
    session,
    heard,
    owned: () => session.owned.map(partitionName).sort(),
    ownership(name) {
      const found = session.owned.find(partition => partitionName(partition) === name)
      if (found === undefined) throw new Error(`${name} is not owned`)
      return found
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}
