import { compactArchive } from '../../src/archive/compact/compact.ts'
import type { Compaction } from '../../src/archive/compact/made.ts'
import { compactOptions } from '../../src/archive/compact/options.ts'
import { rewrapOptions } from '../../src/archive/rewrap/options.ts'
import { rewrapArchive } from '../../src/archive/rewrap/rewrap.ts'
import { factsOfHeader, tileFactsToMap } from '../../src/format/facts.ts'
import { parseTileKey, tileKey } from '../../src/format/keys.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { resealing } from '../../src/storage/resealing.ts'
import type { AgeKey } from './age-keys.ts'
import { dataFile } from './data-file.ts'
import { bodyOf } from './object-bodies.ts'
import { optionsOf } from './options.ts'
import type { DigestRecord } from './records.ts'
import { archiveDeps } from './verifying.ts'

/** A store as who has these secret keys reads it. */
export function openedWith(store: ObjectStore, ...keys: readonly AgeKey[]): ObjectStore {
  return decrypting(store, {
    identities: keys.map(({ identity }) => identity),
    mustBeSealed: () => false,
    isData: key => parseTileKey(key) !== undefined,
  })
}

/** What `maxbrod rewrap` makes in a store with these keys: for the recipients of `to`. */
export function rewrapping(
  store: ObjectStore,
  { with: own, to }: { readonly with: readonly AgeKey[]; readonly to: readonly AgeKey[] },
  ...argv: string[]
): Promise<Compaction> {
  const keys = { identities: own.map(({ identity }) => identity), recipients: to.map(({ recipient }) => recipient) }
  const deps = {
    ...archiveDeps(openedWith(store, ...own)),
    random: { number: () => 0.5, id: newId },
    resealing: resealing(store, keys),
  }
  return rewrapArchive(deps, optionsOf(rewrapOptions, ...argv), new AbortController().signal)
}

/** What `maxbrod compact` makes with these keys. */
export function compactingFor(
  store: ObjectStore,
  { with: own, to }: { readonly with: readonly AgeKey[]; readonly to: readonly AgeKey[] },
  folder: string,
  ...argv: string[]
): Promise<Compaction> {
  const keys = { identities: own.map(({ identity }) => identity), recipients: to.map(({ recipient }) => recipient) }
  const deps = {
    ...archiveDeps(openedWith(store, ...own)),
    writer: 'maxbrod test',
    random: { number: () => 0.5, id: newId },
    seal: sealFor(keys.recipients),
    resealing: resealing(store, keys),
  }
  const options = optionsOf(compactOptions, `--working-dir=${folder}`, ...argv)
  return compactArchive(deps, options, new AbortController().signal)
}

let ids = 0

function newId(): string {
  return (ids++).toString(16).padStart(32, 'b')
}

/** Puts a file as a worker with these recipients stores it, covering offsets from `from` to `to`; plain without recipients. */
export async function putFor(
  store: ObjectStore,
  keys: readonly AgeKey[],
  { topic, partition }: { readonly topic: string; readonly partition: number },
  [from, to]: readonly [number, number],
  records: readonly DigestRecord[],
): Promise<string> {
  const blocks = [records.slice(0, 7), records.slice(7)].filter(one => one.length > 0)
  const file = await dataFile(blocks, {
    change: header => ({ ...header, topic, partition, coversFrom: from, coversTo: to }),
  })
  const plain = bodyOf(file.bytes)
  const isSealed = keys.length > 0
  const body = isSealed ? await sealFor(keys.map(({ recipient }) => recipient))(plain) : plain
  const { origin, leaderEpoch } = file.header
  const facts = {
    ...factsOfHeader(file.header, undefined, newId()),
    ...(isSealed && { sealed: { topic, partition, coversFrom: from, origin, leaderEpoch } }),
  }
  const key = tileKey({ topic, topicId: undefined, partition, lineage: undefined }, from, isSealed)
  await store.put(key, body, tileFactsToMap(facts, body.sha256))
  return key
}
