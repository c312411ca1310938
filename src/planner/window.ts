import { MaxbrodError } from '../runtime/errors.ts'
import type { PartitionMap, TopicPartition } from '../runtime/topic-partition.ts'
import { partitionName } from '../runtime/topic-partition.ts'
import type { Bounds } from './cut-history.ts'
import type { PlannerDeps } from './deps.ts'
import { parseOffsetsFile } from './offsets-file.ts'
import type { PlannerOptions } from './options.ts'

/** Which part of the selected topics is asked for. Partitions that a list does not name are not cut by it. */
export interface Window {
  readonly untilMs: number | undefined
  readonly from: PartitionMap<number> | undefined
  readonly to: PartitionMap<number> | undefined
}

type WindowOptions = Pick<PlannerOptions, 'at' | 'until' | 'fromOffsets' | 'toOffsets' | 'incarnation'>

/** Throws USAGE for lists that cannot be read. */
export async function readWindow(
  { readFile }: Pick<PlannerDeps, 'readFile'>,
  { at, until, fromOffsets, toOffsets, incarnation }: WindowOptions,
): Promise<Window> {
  const others = {
    '--until': until,
    '--from-offsets': fromOffsets,
    '--to-offsets': toOffsets,
    '--incarnation': incarnation,
  }
  const other = Object.entries(others).find(([, value]) => value !== undefined)?.[0]
  if (at !== undefined && other !== undefined)
    throw new MaxbrodError('USAGE', `--at says all that ${other} says`, { hint: `leave out one of them` })
  if (incarnation === 'all' && (fromOffsets ?? toOffsets) !== undefined)
    throw new MaxbrodError('USAGE', 'offsets say nothing where there are several incarnations', {
      hint: 'leave out --incarnation all, or the lists of offsets',
    })
  const list = async (path: string | undefined) => {
    if (path === undefined) return undefined
    const content = await readFile(path)
    if (content === undefined) throw new MaxbrodError('USAGE', `there is no file ${path}`, { path })
    return parseOffsetsFile(content.toString(), path)
  }
  const [from, to] = [await list(fromOffsets), await list(toOffsets)]
  for (const [partition, offset] of from ?? []) {
    const end = to?.get(partition)
    if (end !== undefined && end < offset)
      throw new MaxbrodError('USAGE', `${partitionName(partition)} ends at ${end}, before it begins at ${offset}`)
  }
  return { untilMs: until, from, to }
}

/** What is asked for of a partition. */
export function boundsOf({ untilMs, from, to }: Window, partition: TopicPartition): Bounds {
  return { untilMs, fromOffset: from?.get(partition), toOffset: to?.get(partition) }
}

/** The partitions of a topic that must be there up to some offset. */
export function demandedOf({ from, to }: Window, topic: string): number[] {
  return [...(to ?? [])].flatMap(([where, end]) =>
    where.topic === topic && end > (from?.get(where) ?? 0) ? [where.partition] : [],
  )
}

/** Throws USAGE when a list speaks of nothing that is selected: of another cluster, say. */
export function checkWindow({ from, to }: Window, topics: readonly string[]): void {
  for (const [flag, list] of [['--from-offsets', from] as const, ['--to-offsets', to] as const]) {
    if (list === undefined || [...list.keys()].some(({ topic }) => topics.includes(topic))) continue
    throw new MaxbrodError('USAGE', `the file of ${flag} names none of the selected topics`, {
      hint: 'check the file, and --topics',
    })
  }
}

/** Text that is the same for the same window. */
export function windowText({ untilMs, from, to }: Window): string {
  const text = (list: Window['from']) =>
    [...(list ?? [])].map(([where, n]) => `${partitionName(where)}:${n}`).toSorted()
  return JSON.stringify([untilMs ?? null, text(from), text(to)])
}
