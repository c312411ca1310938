import { readPrunes } from '../../catalog/prunes.ts'
import type { Prunes } from '../../catalog/prunes.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { CommittedOffset } from '../../kafka/port/admin.ts'
import type { Leader } from '../../kafka/port.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import type { Logger } from '../../observe/logger.ts'
import { PartitionMap } from '../../runtime/topic-partition.ts'
import type { WorkerContext } from '../deps.ts'
import { findLineage, listLineages } from './lineage.ts'
import type { Divergence, LineageStart } from './lineage.ts'
import { backupMetrics } from '../metrics.ts'
import type { BackupTally } from '../result.ts'
import type { LogBounds } from './resume.ts'

export interface StartFacts {
  /** Topic id in the name of the topic's folder. */
  readonly folder: string | undefined
  readonly committed: CommittedOffset | undefined
  readonly bounds: LogBounds
  readonly leader: Leader
}

/** The lineages of a worker's partitions, and what Kafka said of logs that are not the ones that were read. */
export class Lineages {
  readonly #context: WorkerContext
  readonly #tally: BackupTally
  readonly #told = new PartitionMap<{ readonly ownership: Ownership; readonly divergence: Divergence }>()
  /** What topic folders hold, listed once for all partitions that start together. */
  readonly #listings = new Map<string, Promise<readonly PartitionPlace[]>>()

  #prunes: Promise<Prunes> | undefined

  constructor(context: WorkerContext, tally: BackupTally) {
    this.#context = context
    this.#tally = tally
  }

  /** To be called before partitions start: what was listed earlier may be old. */
  forgetListings(): void {
    this.#listings.clear()
    this.#prunes = undefined
  }

  /** Says aloud that a log is another one; what Kafka told of it is looked at when the partition starts again. */
  diverged(ownership: Ownership, divergence: Divergence, log: Logger): void {
    const { asked, endOffset } = divergence
    log.error(
      { position: asked.offset, leaderEpoch: asked.leaderEpoch, logEndOfEpoch: endOffset },
      'Kafka’s log is not the one that was read: records were lost in an unclean leader election',
    )
    this.#context.metrics.of(backupMetrics).divergencesTotal.add(1, { topic: ownership.topic })
    this.#told.set(ownership, { ownership, divergence })
  }

  /** Where to go on; `hasDiverged` when what was read and is in no file yet is not to be trusted. */
  async find(
    ownership: Ownership,
    { folder, committed, bounds, leader }: StartFacts,
    log: Logger,
  ): Promise<LineageStart & { readonly hasDiverged: boolean }> {
    const { store, archive } = this.#context
    const { topic, partition, ended: signal } = ownership
    const { clusterId, archiveId } = archive
    const told = this.#told.get(ownership)
    this.#told.delete(ownership)
    const divergence = told?.ownership === ownership ? told.divergence : undefined
    const { topicId, leaderEpoch } = leader
    const start = await findLineage({
      store,
      place: { topic, topicId: folder, partition, lineage: undefined },
      identity: { archiveId, clusterId, topicId, lineage: undefined },
      committed,
      bounds,
      listed: () => this.#list(topic, folder, signal),
      leaderEpoch,
      divergence,
      prunes: () => this.#readPrunes(),
      signal,
    })
    if (start.resume.unchecked > 0)
      log.warn(
        { files: start.resume.unchecked },
        'the group does not say where this partition was: of its files only the last ones were looked into, maxbrod verify tells whether one is missing',
      )
    if (start.cutAt !== undefined) {
      const cut = { at: start.cutAt, lineage: leaderEpoch }
      this.#tally.cut(ownership, cut)
      log.error(cut, 'files hold records that Kafka lost: they stay, and a new lineage begins where the log was cut')
    }
    return { ...start, hasDiverged: divergence !== undefined }
  }

  /** Not for one partition: its signal would end the reading for the others. */
  #readPrunes(): Promise<Prunes> {
    if (this.#prunes === undefined) {
      this.#prunes = readPrunes(this.#context.store)
      this.#prunes.catch(() => (this.#prunes = undefined))
    }
    return this.#prunes
  }

  #list(topic: string, folder: string | undefined, signal: AbortSignal): Promise<readonly PartitionPlace[]> {
    const id = `${topic}@${folder ?? ''}`
    let listing = this.#listings.get(id)
    if (listing === undefined) {
      listing = listLineages(this.#context.store, topic, folder, signal)
      this.#listings.set(id, listing)
      listing.catch(() => this.#listings.delete(id))
    }
    return listing
  }
}
