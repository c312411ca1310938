import type { Task } from '../../observe/progress.ts'
import { KEYS_PER_DELETE } from '../../storage/port.ts'
import type { ErasableStore, NotDeleted } from '../../storage/port.ts'

/** Objects that go one after the other, the first one first: the files of a chain, or snapshots of a kind. */
export interface Doomed {
  /** Must be gone before any of the others is asked for: what makes them count. */
  readonly first?: string | undefined
  readonly keys: readonly string[]
}

export interface Deleted {
  readonly deleted: number
  /** What the store did not let go. */
  readonly refused: readonly NotDeleted[]
  /** Objects behind one of those, which stay for its sake: never a middle. */
  readonly left: number
}

/** All keys of a queue, in the order in which they go. */
export function keysOf({ first, keys }: Doomed): readonly string[] {
  return first === undefined ? keys : [first, ...keys]
}

/** Deletes what a record has given up. May be killed at any moment, and called again by anybody. */
export async function deleteDoomed(
  store: ErasableStore,
  queues: readonly Doomed[],
  task: Pick<Task, 'add'>,
  signal: AbortSignal,
): Promise<Deleted> {
  const refused: NotDeleted[] = []
  const stopped = new Set<Doomed>()
  let deleted = 0
  let left = 0
  for (const batch of batchesOf(queues)) {
    const open = batch.filter(({ queue }) => !stopped.has(queue))
    left += batch.length - open.length
    if (open.length === 0) continue
    signal.throwIfAborted()
    const stay = await store.deleteAll(
      open.map(({ key }) => key),
      signal,
    )
    refused.push(...stay)
    const stays = new Set(stay.map(({ key }) => key))
    for (const { key, queue } of open) if (stays.has(key)) stopped.add(queue)
    deleted += open.length - stay.length
    task.add(open.length)
  }
  return { deleted, refused, left }
}

interface Item {
  readonly key: string
  readonly queue: Doomed
}

/** As many as one request takes, in order; within one request a store has none. */
function* batchesOf(queues: readonly Doomed[]): Generator<Item[]> {
  yield* filled(queues, ({ first }) => (first === undefined ? [] : [first]))
  yield* filled(queues, ({ keys }) => keys)
}

function* filled(queues: readonly Doomed[], pick: (queue: Doomed) => readonly string[]): Generator<Item[]> {
  let batch: Item[] = []
  for (const queue of queues) {
    for (const key of pick(queue)) {
      batch.push({ key, queue })
      if (batch.length < KEYS_PER_DELETE) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}
