import type { PlanFile, PlanHead } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'
import type { ExecutorDeps } from './deps.ts'
import type { ExecutorOptions } from './options.ts'
import { endOf, readPlanEntries } from './plan-reader.ts'
import type { Targets } from './targets.ts'

/** A file of a plan, and where it stands. */
export interface PlacedFile {
  readonly partition: number
  readonly offset: number
  readonly file: PlanFile
}

/**
 * By plan partition, where the group is taken back to: to the first file of which a target lacks records although the group
 * has committed the plan past it. What was put aside is not stored anywhere else. Pure.
 */
export function rewinds(
  files: readonly PlacedFile[],
  restored: PartitionMap<number>,
  committed: ReadonlyMap<number, number>,
): Map<number, number> {
  const back = new Map<number, number>()
  for (const { partition, offset, file } of files) {
    const isThere = (restored.get(file.target) ?? 0) >= file.recordsBefore + file.records
    if (isThere || offset >= (back.get(partition) ?? committed.get(partition) ?? 0)) continue
    back.set(partition, offset)
  }
  return back
}

const LOOK_AGAIN_MS = 1_000

/**
 * Takes the group's commits back to what was put aside, so that nobody calls the restore done before it was tried again. A
 * group that has members longer than a dead one can be one of them keeps its commits, and that is said.
 */
export async function rewindToQuarantined(
  { kafka, log, clock }: Pick<ExecutorDeps, 'kafka' | 'log' | 'clock'>,
  { planTopic, sessionTimeout }: Pick<ExecutorOptions, 'planTopic' | 'sessionTimeout'>,
  groupId: string,
  targets: Targets,
  signal: AbortSignal,
): Promise<void> {
  const files = await readPlacedFiles(kafka, planTopic, targets.head, signal)
  await targets.meet(new Set(files.map(({ file }) => file.target.topic)), planTopic, signal)
  const plans = [...new Set(files.map(({ partition }) => partition))].map(partition => ({
    topic: planTopic,
    partition,
  }))
  const startedAt = clock.monotonic()
  for (;;) {
    const committed = await kafka.admin.committed(groupId, plans)
    const upTo = new Map([...committed].map(([{ partition }, { offset }]) => [partition, offset]))
    const back = rewinds(files, await restoredOf(kafka, files, targets), upTo)
    if (back.size === 0) return
    const commits = [...back].map(
      ([partition, offset]) =>
        [
          { topic: planTopic, partition },
          { offset, metadata: '' },
        ] as const,
    )
    const facts = { group: groupId, partitions: [...back.keys()].join(',') }
    try {
      await kafka.admin.commitFromOutside(groupId, new PartitionMap(commits))
      log.info(facts, 'what was put aside is tried again')
      return
    } catch (error) {
      if (!isMaxbrodError(error, 'GROUP_ACTIVE')) throw error
    }
    if (clock.monotonic() - startedAt > sessionTimeout + LOOK_AGAIN_MS) {
      log.warn(
        facts,
        'other executors are at work: what they have put aside is tried again when all of them have ended',
      )
      return
    }
    await clock.sleep(LOOK_AGAIN_MS, signal)
    signal.throwIfAborted()
  }
}

async function readPlacedFiles(
  kafka: Kafka,
  planTopic: string,
  head: PlanHead,
  signal: AbortSignal,
): Promise<PlacedFile[]> {
  const files: PlacedFile[] = []
  for (let partition = 0; partition < head.planPartitions; partition++) {
    const end = await endOf(kafka, planTopic, partition)
    for await (const { offset, entry } of readPlanEntries(kafka, planTopic, partition, 0, end, head, signal))
      if (entry.kind === 'file') files.push({ partition, offset, file: entry })
  }
  return files
}

/** Records of this restore in each target; one that has no leader for now counts as whole, its chain looks for itself. */
async function restoredOf(kafka: Kafka, files: readonly PlacedFile[], targets: Targets): Promise<PartitionMap<number>> {
  const chains = new PartitionMap(files.map(({ file: { target } }) => [target, Infinity] as const))
  const { offsets } = await kafka.admin.offsets('log end', [...chains.keys()])
  for (const [where, end] of offsets) chains.set(where, end - targets.baseOffset(where.topic, where.partition))
  return chains
}
