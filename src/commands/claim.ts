import { claimArchive } from '../catalog/archive.ts'
import type { Archive } from '../catalog/archive.ts'
import { clusterKey } from '../format/system-keys.ts'
import type { Kafka } from '../kafka/port.ts'
import type { ObjectStore } from '../storage/port.ts'
import { probeCreateOnly } from '../storage/probe.ts'
import type { Context } from './command.ts'

/** The archive for this cluster, in a store that is known to keep its promise not to overwrite. */
export async function claimFor(
  store: ObjectStore,
  kafka: Kafka,
  mayOverwrite: boolean,
  { clock, random, stop }: Pick<Context, 'clock' | 'random' | 'stop'>,
): Promise<Archive> {
  const clusterId = await kafka.admin.clusterId()
  const wanted = { clusterId, archiveId: random.id(), createdAt: new Date(clock.now()).toISOString() }
  const archive = await claimArchive(store, wanted, stop.aborted)
  if (!mayOverwrite) await probeCreateOnly(store, clusterKey, stop.aborted)
  return archive
}
