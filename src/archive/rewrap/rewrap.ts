import { generationName } from '../../format/keys.ts'
import { ByteBudget } from '../../runtime/byte-budget.ts'
import { newLimit } from '../../runtime/limit.ts'
import type { Random } from '../../runtime/random.ts'
import { newThrottle, unthrottled } from '../../runtime/throttle.ts'
import type { Resealing } from '../../storage/port.ts'
import type { GenerationFile } from '../../format/generation.ts'
import type { Job, LeftOutPartition } from '../compact/find-jobs.ts'
import { earlierOf } from '../compact/earlier.ts'
import { wouldMake } from '../compact/made.ts'
import type { Compaction } from '../compact/made.ts'
import { makeEach, reasonOf } from '../compact/make-each.ts'
import type { Source } from '../compact/source.ts'
import type { ArchiveDeps } from '../deps.ts'
import { surveyArchive } from '../survey.ts'
import { surveyGenerations } from '../survey-generations.ts'
import { batchesOf, filesToRewrap } from './choose-files.ts'
import type { RewrapOptions } from './options.ts'
import { rewrapFiles } from './rewrap-files.ts'

export interface RewrapArchiveDeps extends ArchiveDeps {
  readonly resealing: Resealing
  readonly random: Random
}

interface RewrapPartJob extends Job {
  readonly earlier: readonly GenerationFile[]
}

/** Headers read at the same time: each is one small request. */
const HEADERS = 32
const AHEAD_BYTES = 64 * 1024 * 1024

/**
 * Writes the files of an archive for other recipients beside those that are there, which stay as they are. A run that was killed is
 * gone on with by the next one: what is finished is not made again. What is wrong with a partition does not end it. Throws
 * BACKUP_NOT_FOUND.
 */
export async function rewrapArchive(
  deps: RewrapArchiveDeps,
  options: RewrapOptions,
  signal: AbortSignal,
): Promise<Compaction> {
  const { jobs, upToDate, leftOut } = await findJobs(deps, options, signal)
  if (options.dryRun) return { isDryRun: true, made: jobs.map(wouldMake), upToDate, leftOut }
  const { made, failed } = await makeAll(deps, options, jobs, signal)
  return { isDryRun: false, made, upToDate, leftOut: [...leftOut, ...failed] }
}

async function findJobs(
  deps: RewrapArchiveDeps,
  options: RewrapOptions,
  signal: AbortSignal,
): Promise<{
  readonly jobs: readonly RewrapPartJob[]
  readonly upToDate: number
  readonly leftOut: readonly LeftOutPartition[]
}> {
  const { resealing, clock } = deps
  const survey = await surveyArchive(deps, options, signal)
  const generations = await surveyGenerations(deps, options, () => undefined, signal)
  // Later than all others, whatever the clock says: names are used once.
  let atMs = generations.reduce(
    (ms, { kind, atMs: one }) => (kind === 'rewrapped' ? Math.max(ms, one + 1) : ms),
    clock.now(),
  )
  const limit = newLimit(HEADERS)
  const jobs: RewrapPartJob[] = []
  const leftOut: LeftOutPartition[] = []
  let upToDate = 0
  for (const { folder, chains } of survey.topics) {
    for (const chain of chains) {
      const { place } = chain
      const leave = (reason: string, isProblem: boolean) =>
        void leftOut.push({ folder: folder.name, partition: place.partition, reason, isProblem })
      const files = filesToRewrap(chain, generations)
      if ('reason' in files) {
        leave(files.reason, files.isProblem)
        continue
      }
      try {
        const done = new Set<Source>()
        const ask = async (file: Source) => (await resealing.isDone(file, signal)) && done.add(file)
        await Promise.all(files.map(file => limit(() => ask(file))))
        const batches = batchesOf(files, file => done.has(file))
        if (batches.length === 0) upToDate++
        for (const sources of batches)
          jobs.push({
            folder: folder.name,
            place: { ...place, generation: generationName('rewrapped', atMs++) },
            sources,
            earlier: earlierOf(sources, generations),
          })
      } catch (error) {
        leave(reasonOf(error), true)
      }
    }
  }
  return { jobs, upToDate, leftOut }
}

async function makeAll(
  { store, pool, clock, progress, resealing, random }: RewrapArchiveDeps,
  { maxRate, maxRecordBytes }: RewrapOptions,
  jobs: readonly RewrapPartJob[],
  signal: AbortSignal,
): ReturnType<typeof makeEach> {
  const total = jobs.flatMap(({ sources }) => sources).reduce((sum, { bytes }) => sum + 2 * bytes, 0)
  using task = progress.task('rewrapping', { unit: 'bytes', total })
  const throttle = maxRate === undefined ? unthrottled : newThrottle(clock, maxRate)
  const budget = new ByteBudget(AHEAD_BYTES)
  const onBytes = (bytes: number) => task.add(bytes)
  const reading = { store, throttle, signal, pool, budget, maxRecordBytes, onBytes }
  return await makeEach(jobs, job => rewrapFiles({ resealing, reading, random }, job), signal)
}
