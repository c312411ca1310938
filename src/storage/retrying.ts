import { isMaxbrodError } from '../runtime/errors.ts'
import type { RetryOptions } from '../runtime/retry.ts'
import { retry } from '../runtime/retry.ts'
import { newRead, rangeWithin } from './body.ts'
import { compareKeys } from './key.ts'
import type { ErasableStore, GetOptions, ObjectRead, ObjectStore } from './port.ts'

export interface RetryingOptions extends Pick<RetryOptions, 'clock' | 'random' | 'initialMs' | 'maxMs' | 'deadlineMs'> {
  /** Called before each wait, or before a body or a listing is taken up where it broke off (waitMs 0). */
  readonly onRetry: (retry: StorageRetry) => void
}

export interface StorageRetry {
  readonly verb: 'put' | 'get' | 'head' | 'list' | 'folders' | 'delete'
  /** Or prefix. */
  readonly key: string
  readonly error: unknown
  readonly waitMs: number
}

/**
 * Tries again what failed for the moment, until `deadlineMs` have passed without any progress; then the last error comes
 * out. Bodies and listings that break or stall in the middle go on where they were. An answer that was lost is no special
 * case: a put that did happen says `created: false` the second time, and the port tells callers what that can mean.
 */
export function retrying(store: ErasableStore, options: RetryingOptions): ErasableStore {
  /** Attempts at one thing, for as long as there is patience. */
  function trying(verb: StorageRetry['verb'], key: string, signal: AbortSignal | undefined): Trying {
    const onRetry = (error: unknown, _attempt: number, waitMs: number) => options.onRetry({ verb, key, error, waitMs })
    return {
      again: attempt => retry({ ...options, signal, isTemporary, onRetry }, attempt),
      resumes: error => options.onRetry({ verb, key, error, waitMs: 0 }),
    }
  }

  return {
    url: store.url,
    put: (key, body, facts, signal) => trying('put', key, signal).again(() => store.put(key, body, facts, signal)),
    head: (key, signal) => trying('head', key, signal).again(() => store.head(key, signal)),
    delete: (key, signal) => trying('delete', key, signal).again(() => store.delete(key, signal)),
    deleteAll: (keys, signal) => trying('delete', keys[0] ?? '', signal).again(() => store.deleteAll(keys, signal)),
    get: (key, getOptions = {}) => getResuming(store, key, getOptions, trying('get', key, getOptions.signal)),

    async *list(prefix, { after, signal } = {}) {
      let last = after
      const rest = () => store.list(prefix, { after: last, signal })
      for await (const object of resuming(rest, trying('list', prefix, signal))) {
        last = object.key
        yield object
      }
    },

    async *folders(prefix, { after, onObject, signal } = {}) {
      let last = after
      let lastKey: string | undefined
      // A listing that is resumed begins behind the last folder, and shows some objects again.
      const tell = (key: string) => {
        if (lastKey !== undefined && compareKeys(key, lastKey) <= 0) return
        lastKey = key
        onObject?.(key)
      }
      const rest = () => store.folders(prefix, { after: last, onObject: tell, signal })
      for await (const name of resuming(rest, trying('folders', prefix, signal))) {
        last = name
        yield name
      }
    },

    close: () => store.close(),
  }
}

interface Trying {
  again<T>(attempt: () => Promise<T>): Promise<T>
  resumes(error: unknown): void
}

function isTemporary(error: unknown): boolean {
  return isMaxbrodError(error, 'STORAGE_UNREACHABLE')
}

async function getResuming(store: ObjectStore, key: string, options: GetOptions, trying: Trying): Promise<ObjectRead> {
  const { start, bytes, signal } = options
  let current = await trying.again(() => store.get(key, options))
  let isFirst = true
  const head = current
  const { from, to } = rangeWithin(head.bytes, start, bytes)
  let at = from

  async function* rest(): AsyncGenerator<Buffer> {
    // All is here, and the connection broke after it.
    if (at === to && !isFirst) return
    if (!isFirst) current = await store.get(key, { start: at, bytes: to - at, ifMatch: head.etag, signal })
    isFirst = false
    await using read = current
    for await (const chunk of read.body) {
      at += chunk.length
      yield chunk
    }
  }

  return newRead(head, resuming(rest, trying), async () => current[Symbol.asyncDispose]())
}

/** Yields what `rest` yields, called again after each break for what is still missing. */
async function* resuming<T>(rest: () => AsyncIterable<T>, trying: Trying): AsyncGenerator<T> {
  for (;;) {
    // The first item belongs to the attempt: patience ends with a store that breaks off at once, again and again.
    const { items, first } = await trying.again(async () => {
      const iterator = rest()[Symbol.asyncIterator]()
      return { items: iterator, first: await iterator.next() }
    })
    try {
      for (let item = first; item.done !== true; item = await items.next()) yield item.value
      return
    } catch (error) {
      if (!isTemporary(error)) throw error
      trying.resumes(error)
    } finally {
      await items.return?.()
    }
  }
}
