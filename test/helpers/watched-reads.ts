import type { ObjectStore } from '../../src/storage/port.ts'

export interface WatchedReads {
  readonly store: ObjectStore
  /** The keys of all `get`s so far, in order. */
  readonly keys: readonly string[]
}

/** The same store, with its reads noted; `change` makes of the chunks of the n-th read of a key what its reader gets. */
export function watchReads(
  store: ObjectStore,
  change: (key: string, n: number, chunk: Buffer) => Buffer = (_key, _n, chunk) => chunk,
): WatchedReads {
  const keys: string[] = []
  const get: ObjectStore['get'] = async (key, options) => {
    keys.push(key)
    const n = keys.filter(one => one === key).length
    const read = await store.get(key, options)
    const body = async function* () {
      for await (const chunk of read.body) yield change(key, n, chunk)
    }
    return {
      bytes: read.bytes,
      etag: read.etag,
      facts: read.facts,
      body: body(),
      [Symbol.asyncDispose]: () => read[Symbol.asyncDispose](),
    }
  }
  const watched = new Proxy(store, {
    get(target, name) {
      if (name === 'get') return get
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { store: watched, keys }
}
