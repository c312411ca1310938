import type { Instruments } from '../observe/instruments.ts'
import type { Clock } from '../runtime/clock.ts'
import { isMaxbrodError } from '../runtime/errors.ts'
import { newRead } from './body.ts'
import type { outcomes, storageMetrics, verbs } from './metrics.ts'
import type { ErasableStore } from './port.ts'

type Verb = (typeof verbs)[number]
type Outcome = (typeof outcomes)[number]

/** Counts what happens at the store inside. Time is the time that somebody waited for the store, not for the reader. */
export function measured(
  store: ErasableStore,
  metrics: Instruments<typeof storageMetrics>,
  clock: Pick<Clock, 'monotonic'>,
): ErasableStore {
  /** One request, which may be waited for in several pieces; counted once, when it is over. */
  function begin(verb: Verb, signal: AbortSignal | undefined) {
    let waitedMs = 0
    let isOver = false
    const end = (outcome: Outcome) => {
      if (isOver) return
      isOver = true
      metrics.requestsTotal.add(1, { verb, outcome })
      metrics.requestSeconds.observe(waitedMs / 1000, { verb })
    }
    const wait = async <T>(work: () => Promise<T>): Promise<T> => {
      const startedAt = clock.monotonic()
      try {
        return await work()
      } catch (error) {
        waitedMs += clock.monotonic() - startedAt
        end(signal?.aborted === true ? 'aborted' : outcomeOf(error))
        throw error
      } finally {
        if (!isOver) waitedMs += clock.monotonic() - startedAt
      }
    }
    return { wait, end }
  }
  type Request = ReturnType<typeof begin>

  async function once<T>(
    verb: Verb,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
    outcome: (of: T) => Outcome,
  ) {
    const request = begin(verb, signal)
    const result = await request.wait(work)
    request.end(outcome(result))
    return result
  }

  return {
    url: store.url,

    async put(key, body, facts, signal) {
      const work = () => store.put(key, body, facts, signal)
      const put = await once('put', signal, work, ({ created }) => (created ? 'ok' : 'exists'))
      if (put.created) metrics.sentBytesTotal.add(body.bytes)
      return put
    },

    async get(key, options = {}) {
      const request = begin('get', options.signal)
      const read = await request.wait(() => store.get(key, options))
      async function* counted() {
        for await (const chunk of items(read.body, request)) {
          metrics.receivedBytesTotal.add(chunk.length)
          yield chunk
        }
      }
      return newRead(read, counted(), async () => {
        request.end('left')
        await read[Symbol.asyncDispose]()
      })
    },

    head: (key, signal) =>
      once(
        'head',
        signal,
        () => store.head(key, signal),
        found => (found === undefined ? 'missing' : 'ok'),
      ),
    list: (prefix, options = {}) => items(store.list(prefix, options), begin('list', options.signal)),
    folders: (prefix, options = {}) => items(store.folders(prefix, options), begin('folders', options.signal)),
    delete: (key, signal) =>
      once(
        'delete',
        signal,
        () => store.delete(key, signal),
        () => 'ok',
      ),
    deleteAll: (keys, signal) =>
      once(
        'delete',
        signal,
        () => store.deleteAll(keys, signal),
        stay => (stay.length === 0 ? 'ok' : 'refused'),
      ),
    close: () => store.close(),
  }

  async function* items<T>(inner: AsyncIterable<T>, request: Request): AsyncGenerator<T> {
    const iterator = inner[Symbol.asyncIterator]()
    try {
      for (;;) {
        const item = await request.wait(() => iterator.next())
        if (item.done === true) return request.end('ok')
        yield item.value
      }
    } finally {
      request.end('left')
      await iterator.return?.()
    }
  }
}

function outcomeOf(error: unknown): Outcome {
  if (isMaxbrodError(error, 'STORAGE_UNREACHABLE')) return 'temporary'
  if (isMaxbrodError(error, 'OBJECT_MISSING')) return 'missing'
  return isMaxbrodError(error, 'OBJECT_CHANGED') ? 'changed' : 'refused'
}
