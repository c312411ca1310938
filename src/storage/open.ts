import { resolve } from 'node:path'
import type { Logger } from '../observe/logger.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import { openDirectoryStore } from './directory.ts'
import { escapingFacts } from './escaping-facts.ts'
import { measured } from './measured.ts'
import { storageMetrics } from './metrics.ts'
import { checkKeeping } from './keeping-options.ts'
import type { KeepingOptions } from './keeping-options.ts'
import type { StorageOptions } from './options.ts'
import type { ErasableStore, StorageLook } from './port.ts'
import { retrying } from './retrying.ts'
import type { S3Keeping } from './s3-client.ts'
import { s3Route } from './s3-route.ts'
import { placeAbove, placeBelow, storageUrl } from './storage-url.ts'

/** Where a store is, and how it is to keep what is put. */
export type StoreOptions = StorageOptions & Partial<KeepingOptions>

export interface StorageDeps {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

const BACKOFF = { initialMs: 100, maxMs: 10_000 }

/** The store that the options describe, with retries, metrics and log lines. Connects when first asked for something. */
export async function openStorage(
  options: StoreOptions,
  { clock, random, logger, metrics }: StorageDeps,
): Promise<ErasableStore> {
  const log = logger.child({ component: 'storage' })
  const instruments = metrics.of(storageMetrics)
  return retrying(measured(await openDriver(options), instruments, clock), {
    ...BACKOFF,
    clock,
    random: () => random.number(),
    deadlineMs: options.storageDeadline,
    onRetry({ verb, key, error, waitMs }) {
      instruments.retriesTotal.add(1, { verb })
      log.warn({ verb, key, err: error, waitMs: Math.round(waitMs) }, 'the object store failed for the moment')
    },
  })
}

/**
 * What exists around a place where no backup was found, as URLs for the message: the folders in it, and those beside it.
 * Empty when nothing can be said; looking must not add a second error to the first.
 */
export async function storageNearby(
  options: StorageOptions,
  deps: StorageDeps,
  signal?: AbortSignal,
): Promise<string[]> {
  const place =
    options.storage.kind === 'directory'
      ? { ...options.storage, folder: resolve(options.storage.folder) }
      : options.storage
  const above = placeAbove(place)
  const storageDeadline = Math.min(options.storageDeadline, NEARBY_MS_MAX)
  const urls: string[] = []
  for (const parent of above === undefined ? [place] : [place, above]) {
    try {
      const store = await openStorage({ ...options, storage: parent, storageDeadline }, deps)
      using _ = { [Symbol.dispose]: () => store.close() }
      for await (const name of store.folders('', { signal })) {
        if (/^[@.]/.test(name)) continue // parts of a backup, and what nobody looks for
        const url = storageUrl(placeBelow(parent, name))
        if (url !== storageUrl(place)) urls.push(url)
        if (urls.length === NEARBY_MAX) return urls
      }
    } catch {
      // The bucket may not exist, or may not be listed outside of the prefix.
    }
  }
  return urls
}

/** Who we are to the store, and what time it has. Throws what a listing throws. */
export async function lookAtStorage(options: StorageOptions, clock: Clock, signal?: AbortSignal): Promise<StorageLook> {
  const { storage } = options
  if (storage.kind === 'directory') return { identity: undefined, skewMs: undefined }
  const { lookAtS3 } = await import('./s3-look.ts')
  return lookAtS3(s3Route(storage, options), clock, signal)
}

/** More would not be read, nor waited for. */
const NEARBY_MAX = 20
const NEARBY_MS_MAX = 5_000

async function openDriver(options: StoreOptions): Promise<ErasableStore> {
  const { storage, allowUnconditionalPut } = options
  checkKeeping(options, storage)
  if (storage.kind === 'directory') return openDirectoryStore(storage.folder)
  // The SDK takes a tenth of a second and 30 MB, which a backup in a folder need not pay.
  const { openS3Store } = await import('./s3.ts')
  const store = openS3Store({
    ...s3Route(storage, options),
    isConditional: !allowUnconditionalPut,
    keeping: keepingOf(options),
  })
  return options.s3EscapeMetadata ? escapingFacts(store) : store
}

function keepingOf({ objectLock, retain, sse, sseKmsKeyId, storageClass }: Partial<KeepingOptions>): S3Keeping {
  const mode = objectLock === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE'
  return {
    storageClass,
    lock: objectLock === undefined || retain === undefined ? undefined : { mode, retainMs: retain },
    encryption: sse === undefined ? undefined : { by: sse, kmsKeyId: sseKmsKeyId },
  }
}
