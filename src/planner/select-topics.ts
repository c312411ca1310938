import { backupNotFound } from '../catalog/backup-not-found.ts'
import { readFirstIncarnation } from '../catalog/incarnation.ts'
import { listPartitions, listTiles } from '../catalog/tile-list.ts'
import type { TopicFolder } from '../catalog/tile-list.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { PlannerContext, PlannerDeps } from './deps.ts'
import { orderTopics } from './order.ts'
import type { PlannerOptions } from './options.ts'

/**
 * The incarnations to restore, in order: one folder per topic, unless all are asked for. Throws BACKUP_NOT_FOUND when the selection is empty,
 * INCARNATIONS when a topic has several and nobody said which.
 */
export async function selectTopics(
  deps: PlannerContext,
  folders: ReadonlyMap<string, TopicFolder[]>,
  options: PlannerOptions,
  signal: AbortSignal,
): Promise<TopicFolder[]> {
  const names = orderTopics(folders.keys(), options.topics, options.excludeTopics)
  if (names.length === 0) throw await backupNotFound(deps.store, [...folders.keys()], deps.nearbyArchives)
  const selected: TopicFolder[] = []
  for (const name of names)
    selected.push(...(await chooseIncarnations(deps, name, folders.get(name) ?? [], options.incarnation, signal)))
  return selected
}

/** A folder of a topic, and the topic id of what is in it as far as the backup tells. */
interface Incarnation {
  readonly folder: TopicFolder
  readonly topicId: string | undefined
}

async function chooseIncarnations(
  deps: PlannerContext,
  topic: string,
  folders: readonly TopicFolder[],
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<readonly TopicFolder[]> {
  if (folders.length === 1) return folders
  if (wanted === 'all') return inTheirOrder(deps, folders, signal)
  const firstId = await readFirstIncarnation(deps.store, topic, signal)
  const all = folders.map((folder): Incarnation => ({ folder, topicId: folder.topicId ?? firstId }))
  if (wanted === 'newest') return [await newestOf(deps, all, signal)]
  const named = all.find(({ topicId }) => wanted !== undefined && topicId === wanted)
  if (named !== undefined) return [named.folder]
  const ids = all.map(({ folder, topicId }) => `${topicId ?? '?'} in ${folder.name}/`).join(', ')
  throw new MaxbrodError('INCARNATIONS', `${topic} was deleted and created again: the backup holds topic ids ${ids}`, {
    topic,
    topicIds: all.map(({ topicId }) => topicId),
    hint: 'choose with --incarnation newest, all, or a topic id',
  })
}

/** The incarnation that the topic was when its definition was last saved; else the one whose last file was written last. */
async function newestOf(
  { store, definitions: saved }: PlannerContext,
  all: readonly Incarnation[],
  signal: AbortSignal,
): Promise<TopicFolder> {
  const definitions = await saved.newest(signal)
  const defined = all.find(({ folder, topicId }) =>
    definitions?.topics.some(one => one.topic === folder.topic && one.topic_id !== null && one.topic_id === topicId),
  )
  if (defined !== undefined) return defined.folder
  const dated = await writingTimes(
    store,
    all.map(({ folder }) => folder),
    signal,
  )
  return dated.reduce((a, b) => (b.lastMs > a.lastMs ? b : a)).folder
}

/** The first incarnation has the plain folder; of the others, the one whose first file was written first comes first. */
async function inTheirOrder(
  { store }: PlannerDeps,
  folders: readonly TopicFolder[],
  signal: AbortSignal,
): Promise<TopicFolder[]> {
  const isFirst = ({ topicId }: TopicFolder) => (topicId === undefined ? 0 : 1)
  const dated = await writingTimes(store, folders, signal)
  return dated.toSorted((a, b) => isFirst(a.folder) - isFirst(b.folder) || a.firstMs - b.firstMs).map(one => one.folder)
}

interface WritingTimes {
  readonly folder: TopicFolder
  readonly firstMs: number
  readonly lastMs: number
}

/** When the files of each folder were written. */
function writingTimes(
  store: PlannerDeps['store'],
  folders: readonly TopicFolder[],
  signal: AbortSignal,
): Promise<WritingTimes[]> {
  const listing = { onForeign: () => undefined, signal }
  return Promise.all(
    folders.map(async folder => {
      let [firstMs, lastMs] = [Infinity, 0]
      for (const place of await listPartitions(store, folder, listing)) {
        for await (const { modifiedAtMs } of listTiles(store, place, 0, listing)) {
          firstMs = Math.min(firstMs, modifiedAtMs)
          lastMs = Math.max(lastMs, modifiedAtMs)
        }
      }
      return { folder, firstMs, lastMs }
    }),
  )
}
