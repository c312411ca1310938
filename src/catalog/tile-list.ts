import { parsePartitionFolder, parseTileKey, parseTopicFolder, partitionFolder, tileKey } from '../format/keys.ts'
import type { PartitionPlace, TileKey } from '../format/keys.ts'
import type { ObjectStore } from '../storage/port.ts'

/** A tile's object as a listing shows it; what it covers stands in its facts and its header. */
export interface ListedTile {
  readonly key: string
  readonly place: TileKey
  readonly bytes: number
  readonly etag: string
  readonly modifiedAtMs: number
}

/** A folder of a topic in the archive. */
export interface TopicFolder {
  readonly topic: string
  readonly topicId: string | undefined
  readonly name: string
}

export interface Listing {
  /** Called with every key that is no tile where only tiles belong. */
  readonly onForeign: (key: string) => void
  readonly signal?: AbortSignal | undefined
}

/** The tiles of one partition and lineage in the order of their offsets, from the one at `from` on. */
export async function* listTiles(
  store: ObjectStore,
  place: PartitionPlace,
  from: number,
  { onForeign, signal }: Listing,
): AsyncGenerator<ListedTile> {
  const folder = partitionFolder(place)
  // A listing begins behind a key; with the last digit lowered, `from` itself is the first that can come.
  const after = from > 0 ? tileKey(place, from - 1) : undefined
  for await (const { key, bytes, etag, modifiedAtMs } of store.list(folder, { after, signal })) {
    const parsed = parseTileKey(key)
    if (parsed === undefined || partitionFolder(parsed) !== folder) onForeign(key)
    else if (parsed.from >= from) yield { key, place: parsed, bytes, etag, modifiedAtMs }
  }
}

/** All topic folders; foreign names are told. */
export async function* listTopicFolders(
  store: ObjectStore,
  { onForeign, signal }: Listing,
): AsyncGenerator<TopicFolder> {
  for await (const name of store.folders('', { onObject: onForeign, signal })) {
    if (name.startsWith('@')) continue // our own
    const parsed = parseTopicFolder(name)
    if (parsed === undefined) onForeign(`${name}/`)
    else yield { ...parsed, name }
  }
}

/** The partitions and lineages that a topic folder has. */
export async function listPartitions(
  store: ObjectStore,
  { topic, topicId, name }: TopicFolder,
  { onForeign, signal }: Listing,
): Promise<PartitionPlace[]> {
  const places: PartitionPlace[] = []
  for await (const folder of store.folders(`${name}/`, { onObject: onForeign, signal })) {
    const parsed = parsePartitionFolder(folder)
    if (parsed === undefined) onForeign(`${name}/${folder}/`)
    else places.push({ topic, topicId, ...parsed })
  }
  return places.toSorted((a, b) => a.partition - b.partition || (a.lineage ?? -1) - (b.lineage ?? -1))
}
