import { DecodeError } from '../format/batch/varint.ts'
import { plainFacts } from '../format/facts.ts'
import { keyStamp } from '../format/key-stamp.ts'
import { parseSnapshotKey } from '../format/system-keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'

const MAX_BYTES = 256 * 1024 * 1024
const DAY_MS = 24 * 3_600_000
/** How far to look back first. One snapshot a minute makes half a million a year, of which the newest ones are asked for. */
const WINDOWS_MS = [DAY_MS, 31 * DAY_MS, Infinity]

/** A snapshot's object, and the moment that its key names. */
export interface SnapshotKey {
  readonly key: string
  readonly atMs: number
}

/** The snapshots below a prefix whose moment is later than `afterMs`, the oldest first. */
export async function listSnapshots(
  store: ObjectStore,
  prefix: string,
  afterMs: number,
  signal?: AbortSignal,
): Promise<SnapshotKey[]> {
  const found: SnapshotKey[] = []
  const after = afterMs > 0 ? `${prefix}${keyStamp(afterMs)}.avro` : undefined
  for await (const { key } of store.list(prefix, { after, signal })) {
    const atMs = parseSnapshotKey(prefix, key)
    if (atMs !== undefined) found.push({ key, atMs })
  }
  return found
}

/** The snapshots not after a moment, the newest first, as many as the caller looks at. */
export async function* snapshotsNotAfter(
  store: ObjectStore,
  prefix: string,
  atMs: number,
  signal?: AbortSignal,
): AsyncGenerator<SnapshotKey> {
  let upToMs = atMs
  for (const window of WINDOWS_MS) {
    const found = await listSnapshots(store, prefix, atMs - window, signal)
    yield* found.filter(one => one.atMs <= upToMs).toReversed()
    upToMs = atMs - window
  }
}

/** Reads a snapshot's bytes with `decode`. Throws OBJECT_MISSING, OBJECT_CORRUPT. */
export async function readSnapshot<T>(
  store: ObjectStore,
  key: string,
  decode: (file: Buffer) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const file = await readWhole(store, key, MAX_BYTES, signal)
  if (file === undefined) throw new MaxbrodError('OBJECT_MISSING', `there is no ${key} in ${store.url}`, { key })
  try {
    return await decode(file)
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw new MaxbrodError('OBJECT_CORRUPT', `${key}: ${cause.message}`, { key, cause })
  }
}

/** Creates a snapshot's object. Throws OBJECT_CHANGED when the key is taken by something else. */
export async function writeSnapshot(
  store: ObjectStore,
  key: string,
  file: Buffer,
  signal?: AbortSignal,
): Promise<void> {
  const facts = plainFacts(file)
  if ((await store.put(key, bodyOf(file), facts, signal)).created) return
  // Taken: by an attempt of our own whose answer was lost, or by another process in the same millisecond.
  const there = await readWhole(store, key, MAX_BYTES, signal)
  if (there !== undefined && there.equals(file)) return
  throw new MaxbrodError('OBJECT_CHANGED', `${key} was written by somebody else at the same moment`, { key })
}
