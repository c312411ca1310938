import { createHash } from 'node:crypto'
import { assert } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { countedPieces, newRead, rangeWithin } from './body.ts'
import { requireEtag } from './etag.ts'
import { checkFacts } from './facts.ts'
import { checkKey, checkPrefix, compareKeys } from './key.ts'
import { deleteEach } from './delete-each.ts'
import type { ErasableStore, ObjectHead } from './port.ts'

interface StoredObject extends ObjectHead {
  readonly content: Buffer
  readonly modifiedAtMs: number
}

/** Reads come in pieces of this size, so that tests meet pieces. */
const CHUNK_BYTES = 64 * 1024

/** The port in its plainest form: for tests, and to say what the verbs mean. */
export function newMemoryStore(url = 'memory://'): ErasableStore {
  const objects = new Map<string, StoredObject>()
  let puts = 0

  const store: ErasableStore = {
    url,

    async put(key, body, facts, signal) {
      checkKey(key)
      checkFacts(facts)
      signal?.throwIfAborted()
      const pieces: Uint8Array[] = []
      for await (const piece of countedPieces(key, body, signal)) pieces.push(Buffer.from(piece))
      const content = Buffer.concat(pieces)
      assert(createHash('sha256').update(content).digest('hex') === body.sha256, `sha256 of the body of ${key}`)
      // From here on nothing waits: look and create are one step.
      if (objects.has(key)) return { created: false }
      const etag = `"${(puts += 1)}"`
      objects.set(key, { bytes: content.length, etag, facts: { ...facts }, content, modifiedAtMs: Date.now() })
      return { created: true, etag }
    },

    async get(key, { start, bytes, ifMatch, signal } = {}) {
      checkKey(key)
      signal?.throwIfAborted()
      const object = objects.get(key)
      if (object === undefined) throw new MaxbrodError('OBJECT_MISSING', `${key} does not exist in ${url}`, { key })
      requireEtag(key, object.etag, ifMatch)
      const { from, to } = rangeWithin(object.bytes, start, bytes)
      return newRead(object, chunksOf(object.content.subarray(from, to), signal), async () => {})
    },

    async head(key, signal) {
      checkKey(key)
      signal?.throwIfAborted()
      const object = objects.get(key)
      return object === undefined ? undefined : { bytes: object.bytes, etag: object.etag, facts: object.facts }
    },

    async *list(prefix, { after, signal } = {}) {
      checkPrefix(prefix)
      for (const key of keysBelow(prefix)) {
        signal?.throwIfAborted()
        const object = objects.get(key)
        if (object === undefined || (after !== undefined && compareKeys(key, after) <= 0)) continue
        yield { key, bytes: object.bytes, etag: object.etag, modifiedAtMs: object.modifiedAtMs }
      }
    },

    async *folders(prefix, { after, onObject, signal } = {}) {
      checkPrefix(prefix)
      const from = after === undefined ? '' : `${prefix}${after}/`
      for (const key of keysBelow(prefix)) if (!key.slice(prefix.length).includes('/') && key > from) onObject?.(key)
      const names = keysBelow(prefix)
        .map(key => key.slice(prefix.length))
        .filter(rest => rest.includes('/'))
        .map(rest => rest.slice(0, rest.indexOf('/')))
      for (const name of new Set(names)) {
        signal?.throwIfAborted()
        if (after === undefined || compareKeys(`${name}/`, `${after}/`) > 0) yield name
      }
    },

    async delete(key, signal) {
      checkKey(key)
      signal?.throwIfAborted()
      objects.delete(key)
    },

    deleteAll: (keys, signal) => deleteEach(store, keys, signal),

    close() {},
  }
  return store

  function keysBelow(prefix: string): string[] {
    return [...objects.keys()].filter(key => key.startsWith(prefix)).sort(compareKeys)
  }
}

async function* chunksOf(content: Buffer, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += CHUNK_BYTES) {
    signal?.throwIfAborted()
    // A copy: whoever reads owns what he gets.
    yield Buffer.from(content.subarray(at, at + CHUNK_BYTES))
  }
}
