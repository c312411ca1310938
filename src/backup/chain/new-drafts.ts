import type { PartitionPlace } from '../../format/keys.ts'
import type { ChainDeps } from './chain-deps.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import type { RotationLimits } from './rotation.ts'
import type { SpoolHead } from '../spool/spool-notes.ts'
import type { SpooledTile } from '../spool/spooled-tile.ts'
import { TileDraft } from './tile-draft.ts'
import type { DraftOptions } from './tile-draft.ts'

export interface NewDraftsOptions {
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly limits: RotationLimits
  /** The first offset ever covered. */
  readonly origin: number
  readonly deps: Pick<ChainDeps, 'context' | 'memory' | 'press'>
}

export interface DraftEvents {
  /** A block has been appended to the spool. */
  readonly onSpooled: () => void
  /** Nothing that is added to it from now on is kept. */
  readonly onFailed: (draft: TileDraft) => void
  /** What came last of it is held in memory. */
  readonly onDiskFull: (draft: TileDraft, error: unknown) => void
}

/** How a tile begins: with nothing, or with what the spool has of it. */
export class NewDrafts {
  readonly #options: NewDraftsOptions
  readonly #events: DraftEvents

  constructor(options: NewDraftsOptions, events: DraftEvents) {
    this.#options = options
    this.#events = events
  }

  /** `lastFrom` is where the tile before it begins. */
  begin(from: number, lastFrom: number | undefined): TileDraft {
    const { place, identity, origin, deps } = this.#options
    const { clock, random, spool, groupId } = deps.context
    const { archiveId, clusterId, topicId, lineage } = identity
    const { topic, partition } = place
    const head: SpoolHead = {
      uploadId: random.id(),
      clusterId,
      archiveId,
      group: groupId,
      topic,
      topicId,
      partition,
      lineage,
      from,
      lastFrom,
      origin,
      openedAtMs: clock.now(),
    }
    const file = spool.newFile(head, deps.memory.spool, error => this.#events.onDiskFull(draft, error))
    const draft: TileDraft = this.#draft(head, { spool: file, openedAtMs: clock.monotonic() })
    return draft
  }

  resume(tile: SpooledTile): TileDraft {
    const { limits, deps } = this.#options
    const { clock, spool } = deps.context
    const { head, notes } = tile
    const openedAtMs = clock.monotonic() - resumedAgeMs(head.openedAtMs, clock.now(), limits.maxFileAge)
    const file = spool.fileOf(tile, deps.memory.spool, error => this.#events.onDiskFull(draft, error))
    const draft: TileDraft = this.#draft(head, { spool: file, openedAtMs, notes })
    return draft
  }

  #draft(head: SpoolHead, more: Pick<DraftOptions, 'spool' | 'openedAtMs' | 'notes'>): TileDraft {
    const { onSpooled, onFailed } = this.#events
    const { press } = this.#options.deps
    const draft: TileDraft = new TileDraft({ head, press, onSpooled, onFailed: () => onFailed(draft), ...more })
    return draft
  }
}

/** A wall clock that was set meanwhile may have a tile uploaded at once, or as late as a new one. */
export function resumedAgeMs(openedAtMs: number, nowMs: number, maxAgeMs: number): number {
  return Math.min(Math.max(nowMs - openedAtMs, 0), maxAgeMs)
}
