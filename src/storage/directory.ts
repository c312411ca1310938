import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MaxbrodError } from '../runtime/errors.ts'
import { newRead, rangeWithin } from './body.ts'
import { deleteEach } from './delete-each.ts'
import { sweepDrafts, writeDraft } from './directory-draft.ts'
import { directoryError, withErrorsOf } from './directory-errors.ts'
import { readFacts } from './directory-facts.ts'
import { DurableFolders, isTaken, openFile, removeFile, statOf, syncFolder } from './directory-files.ts'
import { DirectoryLayout, folderOf, textOf } from './directory-layout.ts'
import { listDirectory, listFolders } from './directory-list.ts'
import { etagAt, etagOf, publish } from './directory-publish.ts'
import { readSmall } from './directory-small-read.ts'
import { requireEtag } from './etag.ts'
import { checkFacts } from './facts.ts'
import { checkKey, checkPrefix } from './key.ts'
import type { ErasableStore } from './port.ts'

/** Bytes per read; a larger one costs memory for every open object, a smaller one calls. */
const CHUNK_BYTES = 256 * 1024

/**
 * Objects as files below a folder, laid out like a bucket. Several processes may use it at once, on network file systems
 * with hard links, too. The folder is made by the first put; folders stay when the last object in them is deleted, because
 * somebody may be about to put another one there.
 */
export function openDirectoryStore(folder: string): ErasableStore {
  const layout = new DirectoryLayout(resolve(folder))
  const folders = new DurableFolders(layout.root)
  const url = `file://${textOf(layout.root)}`
  let sweeping: Promise<void> | undefined
  const sweepOnce = () => {
    sweeping ??= sweepDrafts(layout)
    return sweeping
  }

  const store: ErasableStore = {
    url,

    async put(key, body, facts, signal) {
      checkKey(key)
      checkFacts(facts)
      signal?.throwIfAborted()
      const path = layout.objectPath(key)
      try {
        if (await isTaken(path)) {
          // It may have been seen before its name was on the device. Who hears that it exists relies on it.
          await folders.make(folderOf(path))
          await syncFolder(folderOf(path))
          return { created: false }
        }
        await folders.make(layout.drafts)
        await sweepOnce()
        await using draft = await writeDraft(layout, key, body, facts, signal)
        signal?.throwIfAborted()
        const isCreated = await publish(layout, folders, key, draft)
        return isCreated ? { created: true, etag: await etagAt(path) } : { created: false }
      } catch (error) {
        // Maybe somebody tidied up: the next attempt looks again.
        folders.forget()
        sweeping = undefined
        throw directoryError(error, path)
      }
    },

    async get(key, { start, bytes, ifMatch, facts: wanted, signal } = {}) {
      checkKey(key)
      signal?.throwIfAborted()
      const path = layout.objectPath(key)
      const missing = () => new MaxbrodError('OBJECT_MISSING', `${key} does not exist in ${url}`, { key })
      const checked = (stat: BigIntStats) => {
        const found = { bytes: Number(stat.size), etag: etagOf(stat) }
        requireEtag(key, found.etag, ifMatch)
        return { ...found, ...rangeWithin(found.bytes, start, bytes) }
      }
      return withErrorsOf(path, async () => {
        if (bytes !== undefined && bytes <= CHUNK_BYTES) {
          const small = await readSmall(path, checked)
          if (small === undefined) throw missing()
          const { from, to, ...found } = checked(small.stat)
          if (small.chunk.length < to - from) throw cutShort(path)
          const facts = wanted === 'unneeded' ? {} : await readFacts(layout, key)
          return newRead({ ...found, facts }, chunkOf(small.chunk, signal), async () => {})
        }
        await using stack = new AsyncDisposableStack()
        const opened = await openFile(path)
        if (opened === undefined) throw missing()
        const { file, stat } = stack.use(opened)
        const facts = wanted === 'unneeded' ? {} : await readFacts(layout, key)
        const { from, to, ...found } = checked(stat)
        const head = { ...found, facts }
        const owned = stack.move()
        return newRead(head, chunksOf(file, path, from, to, signal), () => owned.disposeAsync())
      })
    },

    async head(key, signal) {
      checkKey(key)
      signal?.throwIfAborted()
      const path = layout.objectPath(key)
      return withErrorsOf(path, async () => {
        const stat = await statOf(path)
        if (stat === undefined || !stat.isFile()) return undefined
        return { bytes: Number(stat.size), etag: etagOf(stat), facts: await readFacts(layout, key) }
      })
    },

    async *list(prefix, { after, signal } = {}) {
      checkPrefix(prefix)
      yield* listDirectory(layout, prefix, after, signal)
    },

    async *folders(prefix, options = {}) {
      checkPrefix(prefix)
      yield* listFolders(layout, prefix, options)
    },

    async delete(key, signal) {
      checkKey(key)
      signal?.throwIfAborted()
      const path = layout.objectPath(key)
      await withErrorsOf(path, async () => {
        // Facts without an object harm nobody; an object without facts would.
        if ((await statOf(path))?.isFile() === true && (await removeFile(path))) await syncFolder(folderOf(path))
        let slots = 0
        while ((await statOf(layout.factsPath(key, slots))) !== undefined) slots++
        for (let slot = slots - 1; slot >= 0; slot--) await removeFile(layout.factsPath(key, slot))
      })
    },

    deleteAll: (keys, signal) => deleteEach(store, keys, signal),

    close() {},
  }
  return store
}

async function* chunkOf(chunk: Buffer, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  signal?.throwIfAborted()
  if (chunk.length > 0) yield chunk
}

function cutShort(path: string): MaxbrodError {
  const name = textOf(path)
  return new MaxbrodError('OBJECT_CHANGED', `${name} became shorter while it was read`, { path: name })
}

async function* chunksOf(
  file: FileHandle,
  path: string,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  for (let at = from; at < to;) {
    signal?.throwIfAborted()
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, to - at))
    const { bytesRead } = await withErrorsOf(path, () => file.read(chunk, 0, chunk.length, at))
    if (bytesRead === 0) throw cutShort(path)
    at += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}
