import type { Archive } from '../catalog/archive.ts'
import { findArchive } from '../catalog/archive.ts'
import type { ObjectStore } from '../storage/port.ts'
import { raceToCreate } from './create-only.ts'
import type { CheckDeps } from './deps.ts'
import type { Finding } from './finding.ts'
import { ok } from './finding.ts'
import type { CheckOptions } from './options.ts'
import { NEEDS } from './purpose.ts'
import { judgeClock, judgeIdentity } from './storage.ts'

export interface SeenStore {
  readonly archive: Archive | undefined
  readonly findings: readonly Finding[]
}

/** Throws what the store answers to its first question. */
export async function lookAtStore(
  options: CheckOptions,
  { store, random, lookAtStorage }: CheckDeps,
  signal: AbortSignal,
): Promise<SeenStore> {
  const seen = await lookAtStorage(signal)
  const isEmpty = !(await hasObjects(store, signal))
  const archive = await findArchive(store, signal)
  const race = NEEDS[options.for].storesObjects ? [await raceToCreate(store, random, signal)] : []
  return {
    archive,
    findings: [
      ok('storage', `${store.url} can be listed${isEmpty ? ', and is empty' : ''}`),
      ...(seen.identity === undefined ? [] : [judgeIdentity(seen.identity)]),
      ...judgeClock(seen),
      ...race,
    ],
  }
}

async function hasObjects(store: ObjectStore, signal: AbortSignal): Promise<boolean> {
  for await (const _ of store.list('', { signal })) return true
  return false
}
