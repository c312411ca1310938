import type { Prunes } from '../catalog/prunes.ts'
import { readTileFacts } from '../catalog/tile-facts.ts'
import { listPartitions, listTiles, listTopicFolders } from '../catalog/tile-list.ts'
import type { ListedTile, TopicFolder } from '../catalog/tile-list.ts'
import { readFileHeader } from '../catalog/tile-header-reader.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import { countDataKeepFile } from './count-data-keep.ts'
import type { SurveyedTile } from './surveyed-tile.ts'
import { goneMeanwhile, isCovered } from './gone-meanwhile.ts'
import { withStandIns } from './stand-ins.ts'
import { mergeOverlaps } from './merge-overlaps.ts'
import type { PlannerDeps } from './deps.ts'
import type { Generations } from './generations.ts'

/** All files of one partition and lineage, in the order of their offsets. */
export interface SurveyedPartition {
  readonly place: PartitionPlace
  readonly tiles: readonly SurveyedTile[]
  /** The first offset that prunes left; what lies before is not missing. */
  readonly begin?: number
  /** Files that nobody here has a key for. */
  readonly sealed?: readonly SealedFile[]
}

/** An encrypted file, and what it covers as far as the facts beside it tell. */
export interface SealedFile {
  readonly key: string
  readonly from: number
  readonly to: number
}

/** One folder of a topic: an incarnation. */
export interface SurveyedTopic {
  readonly folder: TopicFolder
  readonly partitions: readonly SurveyedPartition[]
}

export interface SurveyOptions {
  readonly maxRecordBytes: number
  readonly prunes: Prunes
  /** What lies beside the originals; undefined when nobody looked. */
  readonly generations?: Generations | undefined
  readonly onForeign: (key: string) => void
  /** Called with every data file that is not encrypted, where such are refused. */
  readonly onUnencrypted: (key: string) => void
  readonly onTile: () => void
  readonly signal: AbortSignal
}

/** Headers read at the same time: each is one small request. */
const HEADERS = 32

/** The topic folders of a backup, by topic: more than one folder means more than one incarnation. */
export async function surveyFolders(
  { store }: PlannerDeps,
  { onForeign, signal }: SurveyOptions,
): Promise<Map<string, TopicFolder[]>> {
  const folders = new Map<string, TopicFolder[]>()
  for await (const folder of listTopicFolders(store, { onForeign, signal })) {
    folders.set(folder.topic, [...(folders.get(folder.topic) ?? []), folder])
  }
  return folders
}

/** Lists the files of an incarnation and reads the header of each. */
export async function surveyTopic(
  deps: PlannerDeps,
  folder: TopicFolder,
  options: SurveyOptions,
): Promise<SurveyedTopic> {
  const headers = newLimit(HEADERS)
  const ids = new Map<string, string>()
  // One partition after the other: each may hold the records of overlapping files in memory.
  const merging = newLimit(1)
  const places = await listPartitions(deps.store, folder, options)
  const partitions = await Promise.all(
    places.map(async place => {
      const reading: Promise<SurveyedTile | undefined>[] = []
      const sealed: SealedFile[] = []
      const listed: ListedTile[] = []
      const gone: ListedTile[] = []
      for await (const tile of listTiles(deps.store, place, 0, options)) {
        if (options.prunes.isGivenUp(tile)) continue // on its way out
        listed.push(tile)
        const survey = headers(() =>
          surveyTile(deps, tile, ids, options).catch(async (error: unknown) => {
            if (isMaxbrodError(error, 'NO_IDENTITY')) sealed.push(await surveySealed(deps, tile, options.signal))
            else if (isMaxbrodError(error, 'NOT_ENCRYPTED')) options.onUnencrypted(tile.key)
            else if (isMaxbrodError(error, 'OBJECT_MISSING')) gone.push(tile)
            else throw error
            return undefined
          }),
        )
        survey.catch(() => undefined) // awaited below
        reading.push(survey)
      }
      const read = (await Promise.all(reading)).filter(tile => tile !== undefined)
      sealed.sort((a, b) => a.from - b.from)
      const tiles = await merging(() => mergeOverlaps(deps, read, options))
      const begin = options.prunes.beginOf(place)
      const standIns = () => options.generations?.standIns(place, tile => surveyTile(deps, tile, ids, options)) ?? []
      const isMissing = sealed.length + gone.length > 0
      const whole = await withStandIns(closeOpenEnds(tiles), { begin, isMissing }, async () => standIns())
      const lost = goneMeanwhile(gone, listed, whole)
      if (lost !== undefined) throw lost
      // What nobody here can open matters only where nothing else has it.
      return { place, tiles: whole, sealed: sealed.filter(file => !isCovered(file, whole)), begin }
    }),
  )
  return { folder, partitions: partitions.filter(({ tiles, sealed }) => tiles.length + sealed.length > 0) }
}

async function surveySealed(
  { store }: PlannerDeps,
  { key, place }: ListedTile,
  signal: AbortSignal,
): Promise<SealedFile> {
  const found = await readTileFacts(store, key, place, signal)
  return { key, from: place.from, to: found?.kind === 'tile' ? found.facts.coversTo : place.from + 1 }
}

/** What the header of a file says of it. */
export async function surveyTile(
  deps: PlannerDeps,
  listed: ListedTile,
  ids: Map<string, string>,
  { maxRecordBytes, onTile, signal }: SurveyOptions,
): Promise<SurveyedTile> {
  const { key, etag, bytes, place } = listed
  const header = await readFileHeader(deps.store, key, place, etag, signal)
  onTile()
  if (header.kind === 'kafka-data-keep') {
    const counted = await countDataKeepFile(deps, listed, { maxRecordBytes, signal })
    return {
      key,
      etag,
      bytes,
      from: place.from,
      origin: place.from,
      gaps: [],
      clusterId: undefined,
      topicId: undefined,
      wholeFrom: undefined,
      wholeTo: undefined,
      lineage: place.lineage,
      dataEnd: counted.to,
      ...counted,
    }
  }
  const { tile } = header
  return {
    key,
    etag,
    bytes,
    from: tile.coversFrom,
    to: tile.coversTo,
    wholeFrom: undefined,
    wholeTo: undefined,
    lineage: place.lineage,
    records: tile.content.records,
    dataEnd: tile.content.lastOffset === undefined ? tile.coversFrom : tile.content.lastOffset + 1,
    origin: tile.origin,
    gaps: tile.gaps,
    clusterId: once(ids, tile.clusterId),
    topicId: tile.topicId === undefined ? undefined : once(ids, tile.topicId),
    recordBytesMax: tile.content.recordBytesMax,
    timestampMin: tile.content.timestampMin,
    timestampMax: tile.content.timestampMax,
  }
}

/** The same text for the same id: a hundred thousand files have one of their own each otherwise. */
function once(ids: Map<string, string>, id: string): string {
  const known = ids.get(id)
  if (known === undefined) ids.set(id, id)
  return known ?? id
}

/** A file of kafka-data-keep covers all up to the next one: only then do compacted topics and transactions leave no holes. */
function closeOpenEnds(tiles: readonly SurveyedTile[]): SurveyedTile[] {
  return tiles.map((tile, index) => {
    const next = tiles[index + 1]
    return tile.clusterId === undefined && next !== undefined && next.from > tile.to ? { ...tile, to: next.from } : tile
  })
}
