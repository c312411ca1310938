import { backupNotFound } from '../catalog/backup-not-found.ts'
import { readPrunes } from '../catalog/prunes.ts'
import type { Prunes } from '../catalog/prunes.ts'
import { readFileStart } from '../catalog/tile-header-reader.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import { listPartitions, listTiles, listTopicFolders } from '../catalog/tile-list.ts'
import type { ListedTile, TopicFolder } from '../catalog/tile-list.ts'
import type { PartitionPlace } from '../format/keys.ts'
import { isMaxbrodError, messageOf } from '../runtime/errors.ts'
import { estimatedTotal } from '../observe/progress.ts'
import { newLimit } from '../runtime/limit.ts'
import type { ArchiveDeps } from './deps.ts'

/** A data file as listing and header show it. */
export interface SurveyedFile extends ListedTile {
  /** Undefined when it could not be read. */
  readonly header: FileHeader | undefined
  /** Why the file cannot be what it must be, as a sentence about it; a header that was read may promise more than there is. */
  readonly problem: string | undefined
  /** It is encrypted, and none of the given keys opens it: that is the problem, and the file may be sound. */
  readonly isWithoutKey?: boolean
}

/** The files of one partition and lineage, in the order of their offsets. */
export interface SurveyedChain {
  readonly place: PartitionPlace
  readonly files: readonly SurveyedFile[]
  /** The first offset that prunes left in it; what lies before is not missing. */
  readonly begin?: number
  /** What finished generations cover: for offsets whose originals are gone. */
  readonly beside?: readonly BesideRange[]
}

/** Offsets that files cover that were made of others. */
export interface BesideRange {
  readonly from: number
  readonly to: number
  /** `compacted/<utc>` */
  readonly generation: string
  /** All records are there, not only the latest of each key. */
  readonly isWhole: boolean
}

/** One incarnation of a topic. */
export interface SurveyedTopic {
  readonly folder: TopicFolder
  readonly chains: readonly SurveyedChain[]
}

export interface Survey {
  readonly topics: readonly SurveyedTopic[]
  /** Keys that are no data files where only those belong. */
  readonly foreign: readonly string[]
  readonly prunes: Prunes
  /** Files that were pruned and are still there: they do not count any more. */
  readonly leftovers: readonly ListedTile[]
}

export interface TopicSelection {
  readonly topics: readonly RegExp[]
  readonly excludeTopics: readonly RegExp[]
  /** How the user chose, for messages; default `--topics`. */
  readonly asked?: string
}

/** Headers read at the same time: each is one small request. */
const HEADERS = 32

/**
 * Lists the selected topics and reads the header of every file. A file that cannot be read does not end the survey; it says
 * why. Throws BACKUP_NOT_FOUND when the selection has no file.
 */
export async function surveyArchive(
  deps: ArchiveDeps,
  selection: TopicSelection,
  signal: AbortSignal,
): Promise<Survey> {
  const { store, progress, nearbyArchives } = deps
  const foreign: string[] = []
  const listing = { onForeign: (key: string) => void foreign.push(key), signal }
  const folders: TopicFolder[] = []
  for await (const folder of listTopicFolders(store, listing)) folders.push(folder)
  const prunes = await readPrunes(store, signal)
  const leftovers: ListedTile[] = []
  const headers = newLimit(HEADERS)
  using task = progress.task('reading headers', { unit: 'files', total: undefined })
  let read = 0
  const survey = async (tile: ListedTile): Promise<SurveyedFile> => {
    const file = await surveyFile(deps, tile, signal)
    task.add(1)
    read++
    return file
  }
  const topics: SurveyedTopic[] = []
  const selected = folders.filter(({ topic }) => isSelected(topic, selection))
  for (const [n, folder] of selected.entries()) {
    const chains: SurveyedChain[] = []
    for (const place of await listPartitions(store, folder, listing)) {
      const reading: Promise<SurveyedFile>[] = []
      for await (const tile of listTiles(store, place, 0, listing)) {
        if (prunes.isGivenUp(tile)) {
          leftovers.push(tile)
          continue
        }
        const file = headers(() => survey(tile))
        file.catch(() => undefined) // awaited below
        reading.push(file)
      }
      if (reading.length > 0) chains.push({ place, files: await Promise.all(reading), begin: prunes.beginOf(place) })
    }
    if (chains.length > 0) topics.push({ folder, chains })
    task.setTotal(estimatedTotal(read, n + 1, selected.length))
  }
  const names = new Set(folders.map(({ name }) => name))
  const looked = new Set(selected.map(({ name }) => name))
  await deps.headers?.save(folder => looked.has(folder) || !names.has(folder))
  if (topics.length > 0) return { topics, foreign, prunes, leftovers }
  throw await backupNotFound(store, [...new Set(folders.map(({ topic }) => topic))], nearbyArchives, selection.asked)
}

export function isSelected(topic: string, { topics, excludeTopics }: TopicSelection): boolean {
  return topics.some(regex => regex.test(topic)) && !excludeTopics.some(regex => regex.test(topic))
}

/** What the header of a file says, or why it says nothing. */
export async function surveyFile(
  { store, headers }: Pick<ArchiveDeps, 'store' | 'headers'>,
  tile: ListedTile,
  signal: AbortSignal,
): Promise<SurveyedFile> {
  const { key, place, etag } = tile
  try {
    const known = headers?.find(tile)
    if (known !== undefined) {
      // How much of an encrypted object is content was seen when its header was read.
      return { ...tile, header: known, problem: place.isEncrypted ? undefined : wrongSize(known, tile.bytes) }
    }
    const { header, bytes } = await readFileStart(store, key, place, { ifMatch: etag, facts: 'unneeded', signal })
    const problem = wrongSize(header, bytes)
    if (!place.isEncrypted || problem === undefined) headers?.add(tile, header)
    return { ...tile, header, problem }
  } catch (error) {
    const problem = problemOf(error)
    if (problem === undefined) throw error
    const isWithoutKey = isMaxbrodError(error, 'NO_IDENTITY')
    return { ...tile, header: undefined, problem, ...(isWithoutKey && { isWithoutKey }) }
  }
}

/** A file that was cut behind its header would look whole to who reads no more than that. */
function wrongSize(header: FileHeader, bytes: number): string | undefined {
  if (header.kind !== 'maxbrod') return undefined
  const promised = header.headerBytes + header.tile.content.blocksBytes
  return bytes === promised ? undefined : `it has ${bytes} bytes, and its header promises ${promised}`
}

/** What a reading error says of the file; undefined for those that say nothing of it, such as a store that is not there. */
export function problemOf(error: unknown): string | undefined {
  if (isMaxbrodError(error, 'OBJECT_CORRUPT')) return messageOf(error.cause ?? error)
  if (isMaxbrodError(error, 'OBJECT_MISSING')) return 'was there a moment ago and is gone'
  if (isMaxbrodError(error, 'OBJECT_CHANGED')) return 'was replaced a moment ago'
  if (isMaxbrodError(error, 'NO_IDENTITY')) return 'is encrypted, and no --identity opens it'
  if (isMaxbrodError(error, 'NOT_ENCRYPTED')) return 'is not encrypted, and --require-encryption is set'
  return isMaxbrodError(error, 'OBJECT_LIMIT') ? messageOf(error) : undefined
}
