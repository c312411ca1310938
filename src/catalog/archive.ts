import { clusterKey } from '../format/system-keys.ts'
import { plainFacts } from '../format/facts.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectBody, ObjectStore } from '../storage/port.ts'
import { readWhole } from './read-whole.ts'
import { bodyOf } from './object-body.ts'

/** Whose backup lies below a storage URL: `@cluster/cluster.json`, created once. */
export interface Archive {
  /** Cluster id of the Kafka cluster that is backed up here. */
  readonly clusterId: string
  /** Random: tells this archive from another one, say after the bucket was emptied. */
  readonly archiveId: string
  readonly createdAt: string
}

const MAX_BYTES = 64 * 1024

/** The archive at this storage URL, or undefined when there is none. Throws OBJECT_CORRUPT. */
export async function findArchive(store: ObjectStore, signal?: AbortSignal): Promise<Archive | undefined> {
  const content = await readWhole(store, clusterKey, MAX_BYTES, signal)
  return content === undefined ? undefined : parseArchive(content, store.url)
}

/**
 * The archive at this storage URL, created if there is none. Of several workers that start at once, one creates it and all
 * get the same. Throws FOREIGN_CLUSTER when it belongs to another cluster. An archive that is there is never put again: a
 * store that overwrites, which nobody knows of yet at this moment, would lose its identity.
 */
export async function claimArchive(store: ObjectStore, wanted: Archive, signal?: AbortSignal): Promise<Archive> {
  const archive = (await findArchive(store, signal)) ?? (await createArchive(store, wanted, signal))
  if (archive === undefined)
    throw new MaxbrodError('OBJECT_MISSING', `${clusterKey} exists and does not`, { key: clusterKey, url: store.url })
  requireCluster(archive, wanted.clusterId, store.url)
  return archive
}

/** Throws FOREIGN_CLUSTER when the archive is that of another cluster. */
export function requireCluster({ clusterId }: Archive, ours: string, url: string): void {
  if (clusterId === ours) return
  throw new MaxbrodError(
    'FOREIGN_CLUSTER',
    `${url} holds the backup of cluster ${clusterId}, and this is cluster ${ours}`,
    {
      hint: 'use another prefix in --storage for each cluster; a rebuilt cluster is another cluster',
      url,
      archive: clusterId,
      cluster: ours,
    },
  )
}

async function createArchive(
  store: ObjectStore,
  wanted: Archive,
  signal: AbortSignal | undefined,
): Promise<Archive | undefined> {
  const body = archiveBody(wanted)
  const put = await store.put(clusterKey, body, { sha256: body.sha256 }, signal)
  return put.created ? wanted : findArchive(store, signal)
}

/** What stands in the object, byte for byte: putting it again changes nothing even where a store overwrites. */
export function archiveBody(archive: Archive): ObjectBody {
  return bodyOf(Buffer.from(`${JSON.stringify(archive, undefined, 2)}\n`))
}

function parseArchive(content: Buffer, url: string): Archive {
  try {
    const { clusterId, archiveId, createdAt } = JSON.parse(content.toString()) as Partial<
      Record<keyof Archive, unknown>
    >
    if (typeof clusterId === 'string' && typeof archiveId === 'string' && typeof createdAt === 'string')
      return { clusterId, archiveId, createdAt }
  } catch {
    // told below
  }
  throw new MaxbrodError('OBJECT_CORRUPT', `${clusterKey} at ${url} does not say whose backup this is`, {
    key: clusterKey,
    hint: 'put back the original object; each data file names its cluster, too',
    sha256: plainFacts(content)['sha256'],
  })
}
