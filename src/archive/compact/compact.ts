import { strictDefinitions } from '../../catalog/sound-definitions.ts'
import { cleanupPolicies } from '../../format/snapshot/topic-definitions.ts'
import { BlockPress } from '../../format/ocf/block-press.ts'
import { ByteBudget } from '../../runtime/byte-budget.ts'
import type { Disk } from '../../runtime/disk.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { Random } from '../../runtime/random.ts'
import { newThrottle, unthrottled } from '../../runtime/throttle.ts'
import type { ArchiveDeps } from '../deps.ts'
import { surveyArchive } from '../survey.ts'
import { surveyGenerations } from '../survey-generations.ts'
import type { SurveyedGeneration } from '../survey-generations.ts'
import type { Resealing, Seal } from '../../storage/port.ts'
import { findJobs, notSealing } from './find-jobs.ts'
import type { Job, Sealing } from './find-jobs.ts'
import { LatestPerKey, allRecords } from './latest-per-key.ts'
import { wouldMake } from './made.ts'
import type { Compaction } from './made.ts'
import { makeEach } from './make-each.ts'
import { makeGeneration } from './make-generation.ts'
import type { MakingDeps } from './make-generation.ts'
import type { CompactOptions } from './options.ts'
import { Survivors } from './survivors.ts'

export interface CompactDeps extends ArchiveDeps {
  readonly disk: Disk
  readonly random: Random
  /** Program and version. */
  readonly writer: string
  /** Makes encrypted files of what is written. */
  readonly seal?: Seal | undefined
  /** Says for whom files are that are encrypted already. */
  readonly resealing?: Resealing | undefined
}

/** Of the memory: blocks that are decoded ahead, and keys with their offsets. */
const AHEAD_SHARE = 8
const KEYS_SHARE = 4
/** As data files are compressed unless somebody says otherwise. */
const COMPRESSION_LEVEL = 1

/**
 * Writes generations beside the originals, which stay as they are: of compacted topics the latest record per key, or with
 * `--merge` the same records in larger files. What is wrong with a partition does not end it. Throws BACKUP_NOT_FOUND, and
 * WORKER_LOCKED when another process works in the folder.
 */
export async function compactArchive(
  deps: CompactDeps,
  options: CompactOptions,
  signal: AbortSignal,
): Promise<Compaction> {
  const selection = options.topics.length > 0 ? options : { ...options, topics: [/^/] }
  const survey = await surveyArchive(deps, selection, signal)
  const generations = await surveyGenerations(deps, selection, () => undefined, signal)
  const isCompacted = await policies(deps, options, signal)
  const topics = survey.topics.filter(({ folder }) => isCompacted(folder.topic))
  const sealing = await sealingOf(deps, generations, signal)
  const { jobs, leftOut, upToDate } = findJobs(topics, generations, options, deps.clock.now(), sealing)
  if (options.dryRun) return { isDryRun: true, made: jobs.map(wouldMake), upToDate, leftOut }
  const done = jobs.length === 0 ? { made: [], failed: [] } : await makeAll(deps, options, jobs, signal)
  return { isDryRun: false, made: done.made, upToDate, leftOut: [...leftOut, ...done.failed] }
}

/** What was compacted for others is made again, also when nothing new has come. */
async function sealingOf(
  { seal, resealing }: CompactDeps,
  generations: readonly SurveyedGeneration[],
  signal: AbortSignal,
): Promise<Sealing> {
  if (seal === undefined || resealing === undefined) return notSealing
  const others = new Set<string>()
  for (const { kind, place, problems, files } of generations) {
    if (kind !== 'compacted' || problems.length > 0) continue
    for (const file of files) if (!(await resealing.isDone(file, signal))) others.add(place.generation)
  }
  return { isSealing: true, isForOthers: name => others.has(name) }
}

/** Which topics are worked on that nobody named: all that are merged, and those that Kafka compacts. */
async function policies(
  { store }: CompactDeps,
  { topics, merge }: CompactOptions,
  signal: AbortSignal,
): Promise<(topic: string) => boolean> {
  if (topics.length > 0 || merge) return () => true
  const definitions = await strictDefinitions(store).newest(signal)
  const compacted = definitions?.topics.filter(one => cleanupPolicies(one)?.includes('compact'))
  const names = new Set(compacted?.map(({ topic }) => topic))
  return topic => names.has(topic)
}

async function makeAll(
  deps: CompactDeps,
  options: CompactOptions,
  jobs: readonly Job[],
  signal: AbortSignal,
): ReturnType<typeof makeEach> {
  const { disk, clock, progress, store, pool } = deps
  const { workingDir, merge, memory, maxRate, maxRecordBytes, fileSize, dropTombstonesOlderThan: age } = options
  await disk.makeFolder(workingDir)
  using _ = await lockFolder(disk, workingDir)
  const folder = `${workingDir}/compact`
  await disk.removeFolder(folder) // what one before that was killed has left
  await disk.makeFolder(folder)
  const total = jobs.flatMap(({ sources }) => sources).reduce((sum, { bytes }) => sum + 2 * bytes, 0)
  using task = progress.task(merge ? 'merging' : 'compacting', { unit: 'bytes', total })
  const throttle = maxRate === undefined ? unthrottled : newThrottle(clock, maxRate)
  const budget = new ByteBudget(memory / AHEAD_SHARE)
  const onBytes = (bytes: number) => task.add(bytes)
  const reading = { store, throttle, signal, pool, budget, maxRecordBytes, onBytes }
  const making: MakingDeps = { ...deps, reading, press: new BlockPress(COMPRESSION_LEVEL), signal }
  const survivors = merge ? undefined : new Survivors(disk, folder, memory / KEYS_SHARE)
  const dropBeforeMs = age === undefined ? undefined : clock.now() - age
  const make = async (job: Job) => {
    const selection = survivors === undefined ? allRecords : new LatestPerKey(survivors, dropBeforeMs)
    try {
      return await makeGeneration(making, { ...job, folder, fileBytes: fileSize }, selection)
    } finally {
      await survivors?.clear()
    }
  }
  const done = await makeEach(jobs, make, signal)
  await disk.removeFolder(folder)
  return done
}

async function lockFolder(disk: Disk, folder: string): Promise<Disposable> {
  const lock = await disk.lock(`${folder}/compact.lock`)
  if (lock !== undefined) return lock
  throw new MaxbrodError('WORKER_LOCKED', `another compaction works in ${folder}`, {
    folder,
    hint: 'give each its own --working-dir',
  })
}
