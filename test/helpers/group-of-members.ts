import assert from 'node:assert/strict'
import type { Clock } from '../../src/runtime/clock.ts'
import { partitionName } from '../../src/runtime/topic-partition.ts'
import type { MemberOptions, TestMember } from './group-member.ts'
import { joinGroup } from './group-member.ts'
import { openClient } from './kafka-client.ts'

export interface Joining extends Partial<MemberOptions> {
  readonly clock?: Clock
}

/**
 * A consumer group whose members each have connections of their own, as processes have. Whoever is given a partition while
 * another member has it fails the test: `assertSound` throws what was wrong.
 */
export class GroupOfMembers implements AsyncDisposable {
  readonly groupId: string
  readonly #bootstrap: string
  readonly #topics: RegExp
  readonly #owners = new Map<string, string>()
  readonly #wrongs: string[] = []
  readonly #closing = new AsyncDisposableStack()

  constructor(bootstrap: string, groupId: string, topics: RegExp) {
    this.#bootstrap = bootstrap
    this.groupId = groupId
    this.#topics = topics
  }

  /** A further member; `name` is for messages, not its static name. */
  async join(name: string, { clock, listener = {}, ...options }: Joining = {}): Promise<TestMember> {
    const kafka = this.#closing.use(openClient(this.#bootstrap, {}, clock))
    return joinGroup(kafka, {
      groupId: this.groupId,
      topics: this.#topics,
      ...options,
      listener: {
        ...listener,
        assigned: partitions => {
          for (const partition of partitions) this.#own(name, partitionName(partition), partition.ended)
          listener.assigned?.(partitions)
        },
      },
    })
  }

  /** Throws when a partition had two owners at any moment. */
  assertSound(): void {
    assert.deepEqual(this.#wrongs, [])
  }

  /** Closes the members; static ones without leaving the group. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing[Symbol.asyncDispose]()
  }

  #own(name: string, partition: string, ended: AbortSignal): void {
    const owner = this.#owners.get(partition)
    if (owner !== undefined) this.#wrongs.push(`${name} was given ${partition}, which ${owner} still has`)
    this.#owners.set(partition, name)
    ended.addEventListener('abort', () => {
      if (this.#owners.get(partition) === name) this.#owners.delete(partition)
    })
  }
}
