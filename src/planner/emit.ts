import type { PlanEntry, PlanHead } from '../format/plan.ts'
import type { BatchAppender } from '../kafka/port/appending.ts'
import { assert, must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { newLimit } from '../runtime/limit.ts'
import { appendEntries } from './append-entries.ts'
import { missingEnd, missingFiles } from './build-plan.ts'
import type { PlannerDeps } from './deps.ts'
import { headFor } from './head.ts'
import type { HeadPart } from './head.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'
import type { WantedChain } from './wanted-chain.ts'

export interface EmitContext {
  readonly deps: PlannerDeps
  readonly planTopic: string
  readonly planPartitions: number
  readonly topicsSha: string
  readonly appender: BatchAppender
  readonly signal: AbortSignal
}

/** What a plan lacks, by plan partition; nothing when it is as it should be. */
type Missing = (state: PlanState) => ReadonlyMap<number, Iterable<PlanEntry>>

/** Each has a batch in memory, and its records. */
const PARTITIONS_AT_ONCE = 8
/** How long a plan may stay as it is although something is missing. */
const PATIENCE_MS = 60_000

/**
 * Writes the first head of a plan topic. Of several planners that find it empty, the one whose head comes first in the log
 * wins; all go on with that one. Returns the plan as it is then.
 */
export function emitFirstHead(context: EmitContext, head: PlanHead, known: PlanState | undefined): Promise<PlanState> {
  return emit(context, head, known, ({ heads }) => new Map(heads.length === 0 ? [[0, [head]]] : []))
}

/** Adds the targets that a plan lacks. */
export function emitMoreHeads(
  context: EmitContext,
  first: PlanHead,
  part: HeadPart,
  known: PlanState,
): Promise<PlanState> {
  return emit(context, first, known, state => {
    const head = headFor(first, part, state)
    return new Map(head === undefined ? [] : [[0, [head]]])
  })
}

/** Adds the files that a plan lacks, and when all are there the end records. Returns how many files were added meanwhile. */
export async function emitFiles(
  context: EmitContext,
  first: PlanHead,
  planId: string,
  chains: readonly WantedChain[],
  known: PlanState,
): Promise<number> {
  const before = countFiles(known)
  const after = await emit(context, first, known, state => {
    const files = missingFiles(planId, chains, state)
    return files.size > 0 ? files : missingEnds(planId, state)
  })
  return countFiles(after) - before
}

function missingEnds(planId: string, state: PlanState): Map<number, PlanEntry[]> {
  const ends = new Map<number, PlanEntry[]>()
  for (const { partition } of state.partitions) {
    const end = missingEnd(planId, partition, state)
    if (end !== undefined) ends.set(partition, [end])
  }
  return ends
}

/**
 * Appends what is missing by compare-and-append until nothing is, and reads back what it appended before it says so: the broker
 * compares sequences, not contents. What is `known` of the plan is not read again. Killed anywhere, it leaves a beginning of what is missing; another one goes on there.
 */
async function emit(
  context: EmitContext,
  head: PlanHead,
  known: PlanState | undefined,
  missing: Missing,
): Promise<PlanState> {
  const { clock } = context.deps
  let state = await readState(context, known)
  let grewAtMs = clock.monotonic()
  for (;;) {
    context.signal.throwIfAborted()
    const entries = missing(state)
    if (entries.size === 0) return state
    const producerId = BigInt((state.heads[0] ?? head).producerId)
    const appending = newLimit(PARTITIONS_AT_ONCE)
    const troubles = await Promise.all(
      [...entries].map(([partition, of]) => appending(() => append(context, state, producerId, partition, of))),
    )
    const next = await readState(context, state)
    if (totalRecords(next) > totalRecords(state)) grewAtMs = clock.monotonic()
    if (clock.monotonic() - grewAtMs > PATIENCE_MS)
      throw new MaxbrodError(
        'KAFKA_GAVE_UP',
        `cannot add to ${context.planTopic}: ${troubles.find(reason => reason !== undefined) ?? 'it does not grow'}`,
        { hint: 'see whether its partitions have all their replicas, then plan again: it goes on where it stopped' },
      )
    state = next
  }
}

function append(
  { deps, planTopic, topicsSha, appender }: EmitContext,
  state: PlanState,
  producerId: bigint,
  partition: number,
  entries: Iterable<PlanEntry>,
): Promise<string | undefined> {
  const { logEnd, ours } = must(state.partitions[partition], `plan partition ${partition}`)
  return appendEntries(deps, appender, { producerId, topicsSha }, { planTopic, partition, logEnd, ours }, entries)
}

async function readState(
  { deps, planTopic, planPartitions, signal }: EmitContext,
  known: PlanState | undefined,
): Promise<PlanState> {
  const state = await readPlanState(deps.kafka, planTopic, planPartitions, signal, known)
  assert(state.partitions.length === planPartitions, 'a state of another plan topic')
  return state
}

function totalRecords(state: PlanState): number {
  return state.partitions.reduce((sum, { logEnd }) => sum + logEnd, 0)
}

function countFiles(state: PlanState): number {
  return [...state.chains.values()].reduce((sum, { lastIndex }) => sum + lastIndex + 1, 0)
}
