import type { PlanEntry, PlanHead } from '../format/plan.ts'
import type { BatchAppender } from '../kafka/port.ts'
import { assert, must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { appendEntries } from './append-entries.ts'
import { missingEnd, missingFiles } from './build-plan.ts'
import type { WantedChain } from './build-plan.ts'
import type { PlannerDeps } from './deps.ts'
import { readPlanState } from './plan-state.ts'
import type { PlanState } from './plan-state.ts'

export interface EmitContext {
  readonly deps: PlannerDeps
  readonly planTopic: string
  readonly planPartitions: number
  readonly topicsSha: string
  readonly appender: BatchAppender
  readonly signal: AbortSignal
}

/** Rounds in a row without any progress, after which somebody else's planner must be at odds with this one. */
const MAX_IDLE_ROUNDS = 20

/**
 * Writes the first head of a plan topic. Of several planners that find it empty, the one whose head comes first in the log
 * wins; all go on with that one. Returns the plan as it is then.
 */
export async function emitFirstHead(context: EmitContext, head: PlanHead): Promise<PlanState> {
  let state = await readState(context)
  while (state.heads.length === 0) {
    const point = { planTopic: context.planTopic, partition: 0, logEnd: state.partitions[0]?.logEnd ?? 0, ours: 0 }
    await appendEntries(context.deps, context.appender, producer(context, head), point, [head])
    state = await readState(context)
  }
  return state
}

/**
 * Adds what a plan lacks: further heads, files, end records, each by compare-and-append, and reads everything back before it
 * is called done: the broker compares sequences, not contents. Returns how many files were added.
 */
export async function emitPlan(
  context: EmitContext,
  planId: string,
  chains: readonly WantedChain[],
  moreHead: (state: PlanState) => PlanHead | undefined,
): Promise<number> {
  let state = await readState(context)
  const filesBefore = countFiles(state)
  for (let idle = 0; ;) {
    context.signal.throwIfAborted()
    const missing = missingEntries(planId, chains, state, moreHead)
    if (missing.size === 0) return countFiles(state) - filesBefore
    await Promise.all([...missing].map(([partition, entries]) => append(context, state, partition, entries)))
    const next = await readState(context)
    idle = totalRecords(next) > totalRecords(state) ? 0 : idle + 1
    if (idle > MAX_IDLE_ROUNDS)
      throw new MaxbrodError('PLAN_FOREIGN', `another planner keeps changing ${context.planTopic}`, {
        hint: 'let one planner finish, then run this one again',
      })
    state = next
  }
}

/** Heads first: a file is of no use before its target is known. Ends last, when all files are there. */
function missingEntries(
  planId: string,
  chains: readonly WantedChain[],
  state: PlanState,
  moreHead: (state: PlanState) => PlanHead | undefined,
): Map<number, PlanEntry[]> {
  const head = moreHead(state)
  if (head !== undefined) return new Map([[0, [head]]])
  const files = missingFiles(planId, chains, state)
  if (files.size > 0) return files
  const ends = new Map<number, PlanEntry[]>()
  for (const { partition } of state.partitions) {
    const end = missingEnd(planId, partition, state)
    if (end !== undefined) ends.set(partition, [end])
  }
  return ends
}

async function append(
  context: EmitContext,
  state: PlanState,
  partition: number,
  entries: readonly PlanEntry[],
): Promise<void> {
  const { logEnd, ours } = must(state.partitions[partition], `plan partition ${partition}`)
  const point = { planTopic: context.planTopic, partition, logEnd, ours }
  await appendEntries(context.deps, context.appender, producer(context, must(state.heads[0], 'head')), point, entries)
}

function producer({ topicsSha }: EmitContext, { producerId }: PlanHead): { producerId: bigint; topicsSha: string } {
  return { producerId: BigInt(producerId), topicsSha }
}

async function readState({ deps, planTopic, planPartitions, signal }: EmitContext): Promise<PlanState> {
  const state = await readPlanState(deps.kafka, planTopic, planPartitions, signal)
  assert(state.partitions.length === planPartitions, 'a state of another plan topic')
  return state
}

function totalRecords(state: PlanState): number {
  return state.partitions.reduce((sum, { logEnd }) => sum + logEnd, 0)
}

function countFiles(state: PlanState): number {
  return [...state.chains.values()].reduce((sum, { lastIndex }) => sum + lastIndex + 1, 0)
}
