import type { Hole } from '../catalog/tiling.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { parseTileKey } from '../format/keys.ts'
import { beginningGone } from '../format/plan-beginning.ts'
import { chainName } from '../format/plan.ts'
import { decodePlanEntry } from '../format/plan-records.ts'
import type { PlanEnd, PlanFile, PlanHead } from '../format/plan.ts'
import type { Kafka } from '../kafka/port.ts'
import type { ReadRecord } from '../kafka/port/fetching.ts'
import { MaxbrodError } from '../runtime/errors.ts'

/** What a plan topic holds: the plan so far. */
export interface PlanState {
  /** The head that counts, and later ones of the same restore; empty for a fresh plan topic. */
  readonly heads: readonly PlanHead[]
  readonly partitions: readonly PlanPartitionState[]
  readonly chains: ReadonlyMap<string, ChainState>
}

export interface PlanPartitionState {
  readonly partition: number
  readonly logEnd: number
  /** Records of the plan's own producer: its next sequence. */
  readonly ours: number
  /** The end record that closes the partition; undefined when something else came after the last one. */
  readonly end: PlanEnd | undefined
}

/** How far a chain is planned. */
export interface ChainState {
  readonly partition: number
  readonly lastIndex: number
  readonly records: number
  /** The source partitions whose files it has. */
  readonly sources: readonly SourceState[]
}

/** How far the files of a source partition are planned. */
export interface SourceState {
  readonly source: PlanFile['source']
  /** The topic id in the name of its folder: each incarnation has a folder of its own, also where its files tell no id. */
  readonly folderId: string | undefined
  /** Of the last file: see SurveyedTile. */
  readonly lineage: number | undefined
  /** The last file, when its rest was not wanted then. */
  readonly cutObject: PlanFile['object'] | undefined
  /** Key of the last file. */
  readonly lastKey: string
  /** The next source offset to plan. */
  readonly nextOffset: number
  /** The source offsets that are planned, in their order; neighbours are one range. */
  readonly ranges: readonly Hole[]
}

/**
 * Reads a plan topic; of one whose beginning is `known`, only what came after that. The first head in partition 0 counts; heads
 * of planners that came second are ignored. Throws PLAN_FOREIGN for records of anything else than a plan, PLAN_CORRUPT for a
 * plan with holes.
 */
export async function readPlanState(
  kafka: Kafka,
  planTopic: string,
  planPartitions: number,
  signal: AbortSignal,
  known?: PlanState,
): Promise<PlanState> {
  const where = Array.from({ length: planPartitions }, (_, partition) => ({ topic: planTopic, partition }))
  const [starts, ends] = await Promise.all([
    kafka.admin.offsets('log start', where),
    kafka.admin.offsets('high watermark', where),
  ])
  const isCut = known?.partitions.some(({ partition, logEnd }) => {
    const now = ends.offsets.get({ topic: planTopic, partition })
    return now !== undefined && now < logEnd
  })
  if (isCut === true) return readPlanState(kafka, planTopic, planPartitions, signal)
  const heads: PlanHead[] = [...(known?.heads ?? [])]
  const partitions: PlanPartitionState[] = []
  const chains = new Map<string, ChainState>(known?.chains)
  for (const { partition } of where) {
    const logEnd = ends.offsets.get({ topic: planTopic, partition })
    const read = known?.partitions[partition]
    if (logEnd === undefined)
      throw new MaxbrodError(
        'KAFKA_GAVE_UP',
        `cannot read ${planTopic}-${partition}: ${ends.failed.get({ topic: planTopic, partition }) ?? 'no answer'}`,
      )
    const start = starts.offsets.get({ topic: planTopic, partition }) ?? 0
    if (start > 0) throw beginningGone(planTopic, partition, start)
    let ours = read?.ours ?? 0
    let end = read?.end
    for await (const record of kafka.readRecords({ topic: planTopic, partition }, read?.logEnd ?? 0, logEnd, signal)) {
      const entry = decodeRecord(record, planTopic, partition)
      if (entry.kind === 'head') {
        const [first] = heads
        if (first !== undefined && entry.restoreId !== first.restoreId) continue
        if (entry.planPartitions !== planPartitions) throw resized(planTopic, planPartitions, entry)
        heads.push(entry)
      }
      if (String(record.producerId) !== heads[0]?.producerId) {
        throw new MaxbrodError(
          'PLAN_FOREIGN',
          `${planTopic}-${partition} holds a record of another producer at offset ${record.offset}`,
          { hint: 'use another --plan-topic' },
        )
      }
      ours++
      if (entry.kind === 'file') addFile(chains, entry, partition, planTopic)
      end = entry.kind === 'end' ? entry : undefined
    }
    partitions.push({ partition, logEnd, ours, end })
  }
  return { heads, partitions, chains }
}

function decodeRecord(record: ReadRecord, planTopic: string, partition: number): ReturnType<typeof decodePlanEntry> {
  try {
    return decodePlanEntry(record.value)
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause
    throw new MaxbrodError(
      'PLAN_FOREIGN',
      `${planTopic}-${partition} holds at offset ${record.offset} ${cause.message}`,
      { cause, hint: 'use another --plan-topic' },
    )
  }
}

/** Chains are spread by the number of partitions: with another number, the same chain would go on somewhere else. */
function resized(planTopic: string, actual: number, { planPartitions }: PlanHead): MaxbrodError {
  return new MaxbrodError(
    'PLAN_FOREIGN',
    `${planTopic} has ${actual} partitions and was planned with ${planPartitions}`,
    { hint: 'plan again into a new --plan-topic' },
  )
}

function addFile(chains: Map<string, ChainState>, file: PlanFile, partition: number, planTopic: string): void {
  const name = chainName(file.target)
  const before = chains.get(name)
  const isNext =
    file.index === (before?.lastIndex ?? -1) + 1 &&
    file.recordsBefore === (before?.records ?? 0) &&
    (before?.partition ?? partition) === partition
  if (!isNext)
    throw new MaxbrodError('PLAN_CORRUPT', `${planTopic}: file ${file.index} of ${name} is not the next one`, {
      hint: 'plan again into a new --plan-topic',
    })
  chains.set(name, chainAfter(before, file, partition))
}

/** The state of a chain with one more file. Pure. */
export function chainAfter(before: ChainState | undefined, file: PlanFile, partition: number): ChainState {
  const from = file.slice?.fromOffset ?? file.covers.from
  const to = file.slice?.toOffset ?? file.covers.to
  const { topicId: folderId, lineage } = parseTileKey(file.object.key) ?? { topicId: undefined, lineage: undefined }
  const own = before?.sources.find(one => isOfSource(one, file.source, folderId))
  const state: SourceState = {
    source: file.source,
    folderId,
    lineage,
    cutObject: to < file.covers.to ? file.object : undefined,
    lastKey: file.object.key,
    nextOffset: to,
    ranges: withRange(own?.ranges ?? [], { from, to }),
  }
  const others = before?.sources.filter(one => one !== own) ?? []
  const records = file.recordsBefore + file.records
  return { partition, lastIndex: file.index, records, sources: [...others, state] }
}

function withRange(ranges: readonly Hole[], { from, to }: Hole): readonly Hole[] {
  const last = ranges.at(-1)
  if (last === undefined || last.to < from) return [...ranges, { from, to }]
  return [...ranges.slice(0, -1), { from: last.from, to: Math.max(last.to, to) }]
}

/** True for the state of that source partition. */
export function isOfSource(
  state: SourceState,
  { topic, partition, topicId }: PlanFile['source'],
  folderId: string | undefined,
): boolean {
  const { source } = state
  return source.topic === topic && source.partition === partition && isSameIncarnation(state, topicId, folderId)
}

export function isSameIncarnation(
  { source, folderId: own }: SourceState,
  topicId: string | undefined,
  folderId: string | undefined,
): boolean {
  return own === folderId && isSameId(source.topicId, topicId)
}

/** A topic id that is not known may be any. */
export function isSameId(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b
}
