import type { GroupSession } from '../kafka/port/membership.ts'
import { unlessAborted } from '../runtime/aborted.ts'
import type { DefinitionKeeper } from './topics/definitions.ts'
import type { WorkerContext } from './deps.ts'
import { HeadroomWatch } from './protection/headroom.ts'
import { SelectionWatch } from './topics/selection-watch.ts'
import type { PartitionBackup } from './partition/partition.ts'

const DEFINITIONS_MS = 60_000
/** Between two looks at what retention leaves. The first one comes when partitions know what is durable of them. */
const HEADROOM_MS = 60_000
const FIRST_HEADROOM_MS = 10_000
const SELECTION_MS = 1_000

/** Looks again and again at what retention leaves. */
export async function watchHeadroom(
  context: WorkerContext,
  partitions: () => Iterable<PartitionBackup>,
  ending: AbortSignal,
): Promise<void> {
  const watch = new HeadroomWatch(context)
  await context.clock.sleep(FIRST_HEADROOM_MS, ending)
  while (!ending.aborted) {
    await watch.look(partitions(), ending)
    await context.clock.sleep(HEADROOM_MS, ending)
  }
}

/** Looks again and again whether the group shares out what this worker selects. */
export async function watchSelection(
  { clock, groupId: group, log, metrics }: WorkerContext,
  session: Promise<GroupSession>,
  patienceMs: number,
  ending: AbortSignal,
): Promise<void> {
  const watch = new SelectionWatch({ group, log, metrics, patienceMs })
  const joined = await unlessAborted(session, ending)
  if (joined === undefined) return
  while (!ending.aborted) {
    watch.look(joined.otherSelection, clock.monotonic())
    await clock.sleep(SELECTION_MS, ending)
  }
}

/** Keeps the definitions of the topics; calls `onLooked` when that was tried for the first time, or will not be. */
export async function keepDefinitions(
  context: WorkerContext,
  session: Promise<GroupSession>,
  definitions: DefinitionKeeper,
  onLooked: () => void,
  ending: AbortSignal,
): Promise<void> {
  using _ = { [Symbol.dispose]: onLooked }
  const joined = await unlessAborted(session, ending)
  if (joined === undefined) return
  while (!ending.aborted) {
    if (hasFirstOfAll(joined)) await keepOnce(context, definitions, ending)
    onLooked()
    await context.clock.sleep(DEFINITIONS_MS, ending)
  }
}

/** One of the workers is enough: the one that has the first partition of all. */
function hasFirstOfAll({ selected: [first], owned }: GroupSession): boolean {
  return owned.some(({ topic, partition }) => topic === first?.topic && partition === first.partition)
}

async function keepOnce({ log }: WorkerContext, definitions: DefinitionKeeper, ending: AbortSignal): Promise<void> {
  try {
    await definitions.keep(ending)
  } catch (error) {
    if (!ending.aborted) log.warn({ err: error }, 'could not keep the topic definitions, trying again later')
  }
}
