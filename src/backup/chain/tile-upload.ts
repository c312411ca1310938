import { createTile } from '../../catalog/create-tile.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { TileHeader } from '../../format/tile-header.ts'
import type { Keeping, ObjectBody, ObjectStore, Seal } from '../../storage/port.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import { tileBody } from './tile-body.ts'
import type { TileDraft } from './tile-draft.ts'

export interface TileUpload {
  readonly store: ObjectStore
  readonly place: PartitionPlace
  readonly identity: PartitionIdentity
  readonly origin: number
  /** Program and version. */
  readonly writer: string
  /** How the store is to keep it; undefined for its usual way. */
  readonly keeping: Keeping | undefined
  /** Encrypts it; undefined to store it as it is. */
  readonly seal: Seal | undefined
  /** Aborts when the partition is no longer ours. */
  readonly ended: AbortSignal
}

export type TileOutcome =
  | { readonly kind: 'created'; readonly bytes: number }
  | { readonly kind: 'adopted'; readonly coversTo: number }
  | { readonly kind: 'conflict'; readonly reason: string; readonly keptAs: string }

/**
 * Puts a finished tile where it belongs; see createTile for what may be found there. Nothing may be added to it any more. `moves` is
 * called whenever some of it is on its way: many uploads may share a slow line.
 */
export async function uploadTile(
  draft: TileDraft,
  upload: TileUpload,
  moves: () => void = () => undefined,
): Promise<TileOutcome> {
  const { store, place, identity, origin, writer, seal, ended } = upload
  const { clusterId, topicId, lineage } = identity
  await draft.settled()
  const content = draft.content()
  const header: TileHeader = {
    clusterId,
    topic: place.topic,
    topicId,
    partition: place.partition,
    coversFrom: draft.from,
    coversTo: draft.to,
    origin,
    leaderEpoch: draft.leaderEpoch,
    gaps: draft.gaps,
    writer,
    content,
  }
  const plain = { ...(await tileBody(draft, header)), keeping: upload.keeping }
  const body = seal === undefined ? plain : await seal(plain)
  ended.throwIfAborted()
  const { records } = content
  const known = { clusterId, topicId, lineage, coversTo: draft.to, records, uploadId: draft.uploadId }
  const { topic, partition } = place
  const sealed = { topic, partition, coversFrom: draft.from, origin, leaderEpoch: draft.leaderEpoch }
  const facts = seal === undefined ? known : { ...known, sealed }
  const outcome = await createTile(store, place, draft.from, watched(body, moves), facts, ended)
  return outcome.kind === 'created' ? { kind: 'created', bytes: body.bytes } : outcome
}

/** A piece is asked for when the one before it has left. */
function watched(body: ObjectBody, moves: () => void): ObjectBody {
  const open = async function* () {
    for await (const piece of body.open()) {
      yield piece
      moves()
    }
  }
  return { ...body, open }
}
