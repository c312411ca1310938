import { listGenerations, readSeal } from '../catalog/generations.ts'
import type { ListedGeneration } from '../catalog/generations.ts'
import type { GenerationSeal } from '../format/generation.ts'
import type { PartitionPlace } from '../format/keys.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Doomed } from './prune-delete.ts'
import { problemOf } from './survey.ts'

const DAY_MS = 24 * 3_600_000

/**
 * Files that were made of others and that nothing needs any more, one queue for each generation: those of which all that they
 * cover is given up, and those that nobody finished for a day. The seal goes first: files without one count for nothing.
 */
export async function oldGenerations(
  store: ObjectStore,
  beginOf: (place: PartitionPlace) => number,
  nowMs: number,
  signal: AbortSignal,
): Promise<Doomed[]> {
  const old: Doomed[] = []
  for (const generation of await listGenerations(store, { onForeign: () => undefined, signal })) {
    const { place, atMs, files, seal } = generation
    const keys = files.map(({ key }) => key)
    if (seal === undefined) {
      const touchedMs = files.reduce((newest, { modifiedAtMs }) => Math.max(newest, modifiedAtMs), atMs)
      if (touchedMs < nowMs - DAY_MS) old.push({ keys })
      continue
    }
    const { generation: _, ...plain } = place
    const told = await sealOf(store, generation, signal)
    if (told !== undefined && told.covers.to <= beginOf(plain)) old.push({ first: seal.key, keys })
  }
  return old
}

/** Undefined for one that is damaged: verify names it, and somebody should look. */
async function sealOf(
  store: ObjectStore,
  generation: ListedGeneration,
  signal: AbortSignal,
): Promise<GenerationSeal | undefined> {
  try {
    return await readSeal(store, generation, signal)
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    return undefined
  }
}
