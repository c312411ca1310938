import type { GenerationSeal } from '../../format/generation.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { problemOf } from '../survey.ts'
import type { Job, LeftOutPartition } from './find-jobs.ts'
import { hasMade } from './made.ts'
import type { MadeGeneration } from './made.ts'

/** Makes one generation after the other; what is wrong with the files of one does not end the others. */
export async function makeEach<J extends Job>(
  jobs: readonly J[],
  make: (job: J) => Promise<GenerationSeal>,
  signal: AbortSignal,
): Promise<{ readonly made: readonly MadeGeneration[]; readonly failed: readonly LeftOutPartition[] }> {
  const made: MadeGeneration[] = []
  const failed: LeftOutPartition[] = []
  for (const job of jobs) {
    signal.throwIfAborted()
    try {
      made.push(hasMade(job, await make(job)))
    } catch (error) {
      failed.push({ folder: job.folder, partition: job.place.partition, reason: reasonOf(error), isProblem: true })
    }
  }
  return { made, failed }
}

/** What is wrong with a file; anything else is thrown. */
export function reasonOf(error: unknown): string {
  const problem = problemOf(error)
  if (problem === undefined || !(error instanceof MaxbrodError)) throw error
  return `${String(error.facts['key'])}: ${problem}`
}
