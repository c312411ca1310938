import type { TopicFolder } from '../catalog/tile-list.ts'
import { listTiles, listPartitions } from '../catalog/tile-list.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { PlannerDeps } from './deps.ts'
import { orderTopics } from './order.ts'
import type { PlannerOptions } from './options.ts'

/**
 * The incarnations to restore, one folder per topic, in order. Throws BACKUP_NOT_FOUND when the selection is empty,
 * INCARNATIONS when a topic has several and nobody said which.
 */
export async function selectTopics(
  deps: PlannerDeps,
  folders: ReadonlyMap<string, TopicFolder[]>,
  options: PlannerOptions,
  signal: AbortSignal,
): Promise<TopicFolder[]> {
  const names = orderTopics(folders.keys(), options.topics, options.excludeTopics)
  if (names.length === 0) throw await nothingThere(deps, [...folders.keys()])
  const selected: TopicFolder[] = []
  for (const name of names)
    selected.push(await chooseIncarnation(deps, name, folders.get(name) ?? [], options.incarnation, signal))
  return selected
}

async function chooseIncarnation(
  deps: PlannerDeps,
  topic: string,
  folders: readonly TopicFolder[],
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<TopicFolder> {
  const [only] = folders
  if (only !== undefined && folders.length === 1) return only
  if (wanted === 'newest') return newestOf(deps, folders, signal)
  const named = folders.find(({ topicId, name }) => wanted !== undefined && (topicId === wanted || name === wanted))
  if (named !== undefined) return named
  const ids = folders.map(({ name }) => name).join(', ')
  throw new MaxbrodError('INCARNATIONS', `${topic} was deleted and created again: the backup holds ${ids}`, {
    topic,
    folders: folders.map(({ name }) => name),
    hint: 'choose with --incarnation newest, or with --incarnation and a topic id',
  })
}

/** The incarnation whose last file was written last. */
async function newestOf(
  { store }: PlannerDeps,
  folders: readonly TopicFolder[],
  signal: AbortSignal,
): Promise<TopicFolder> {
  const listing = { onForeign: () => undefined, signal }
  const dated = await Promise.all(
    folders.map(async folder => {
      let writtenAtMs = 0
      for (const place of await listPartitions(store, folder, listing)) {
        for await (const { modifiedAtMs } of listTiles(store, place, 0, listing))
          writtenAtMs = Math.max(writtenAtMs, modifiedAtMs)
      }
      return { folder, writtenAtMs }
    }),
  )
  return dated.reduce((a, b) => (b.writtenAtMs > a.writtenAtMs ? b : a)).folder
}

async function nothingThere({ store, nearbyArchives }: PlannerDeps, names: readonly string[]): Promise<MaxbrodError> {
  if (names.length > 0) {
    const shown = names.toSorted().slice(0, 10).join(', ')
    return new MaxbrodError('BACKUP_NOT_FOUND', `--topics matches none of the ${names.length} topics in ${store.url}`, {
      hint: `the backup holds ${shown}${names.length > 10 ? ', …' : ''}`,
    })
  }
  const nearby = await nearbyArchives().catch(() => [])
  return new MaxbrodError('BACKUP_NOT_FOUND', `there is no backup in ${store.url}`, {
    hint:
      nearby.length === 0
        ? 'check the bucket and the prefix in --storage'
        : `there are backups in ${nearby.join(', ')}`,
    nearby,
  })
}
