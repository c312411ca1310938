import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { statOf, unlessMissing } from './directory-files.ts'
import { withErrorsOf } from './directory-errors.ts'
import type { DirectoryLayout } from './directory-layout.ts'
import { bytesOf, draftsName, factsName, headOf, isHead, raw, textOf } from './directory-layout.ts'
import { etagOf } from './directory-publish.ts'
import type { FolderOptions, ListedObject } from './port.ts'

/** A name in a folder of keys: the next part of a key, and where that lies. */
interface Entry {
  /** Of a folder with a slash at its end, so that sorting by name is sorting by key. */
  readonly name: string
  readonly path: string
  readonly isLink?: true
}

/**
 * The objects below a prefix, in the order of their keys' bytes. Holds the names of one folder and of those above it, never
 * of the whole tree. Symbolic links and other things that are neither file nor folder are not followed and not listed.
 */
export async function* listDirectory(
  layout: DirectoryLayout,
  prefix: string,
  after: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  const bounds = { prefix: bytesOf(prefix), after: after === undefined ? undefined : bytesOf(after) }
  // Nothing outside of the last folder that the prefix names can match.
  const parent = bounds.prefix.slice(0, bounds.prefix.lastIndexOf('/') + 1)
  yield* walk(layout, parent, bounds, signal)
}

/** The folders right below `prefix` that hold an object at any depth: a killed writer leaves empty ones. Files beside them are told, and links: behind one may lie what somebody takes for a part of the backup. */
export async function* listFolders(
  layout: DirectoryLayout,
  prefix: string,
  { after, onObject, signal }: FolderOptions,
): AsyncGenerator<string> {
  const parent = bytesOf(prefix)
  const last = after === undefined ? '' : `${bytesOf(after)}/`
  for (const { name } of await readFolder(layout, parent)) {
    signal?.throwIfAborted()
    if (name <= last) continue
    if (!name.endsWith('/')) {
      onObject?.(textOf(parent + name))
      continue
    }
    const folder = parent + name
    const first = await walk(layout, folder, { prefix: folder, after: undefined }, signal).next()
    if (first.done !== true) yield textOf(name.slice(0, -1))
  }
}

interface Bounds {
  readonly prefix: string
  readonly after: string | undefined
}

/** Files are asked for size and time so many at a time. */
const STATS_AT_ONCE = 32

async function* walk(
  layout: DirectoryLayout,
  parent: string,
  bounds: Bounds,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  const waiting: Entry[] = []
  for (const { name, path, isLink } of await readFolder(layout, parent)) {
    const key = parent + name
    if (isLink === true || !mayMatch(key, bounds)) continue
    if (!name.endsWith('/')) waiting.push({ name: key, path })
    if (name.endsWith('/') || waiting.length === STATS_AT_ONCE) yield* described(waiting.splice(0), signal)
    if (name.endsWith('/')) yield* walk(layout, key, bounds, signal)
  }
  yield* described(waiting, signal)
}

/** True when the key, or for a folder some key below it, lies within the bounds. */
function mayMatch(key: string, { prefix, after }: Bounds): boolean {
  const isFolder = key.endsWith('/')
  if (!key.startsWith(prefix) && !(isFolder && prefix.startsWith(key))) return false
  return after === undefined || key > after || (isFolder && after.startsWith(key))
}

async function* described(files: readonly Entry[], signal: AbortSignal | undefined): AsyncGenerator<ListedObject> {
  signal?.throwIfAborted()
  const stats = await Promise.all(files.map(({ path }) => withErrorsOf(path, () => statOf(path))))
  for (const [index, { name }] of files.entries()) {
    const stat = stats[index]
    // Deleted since its name was read.
    if (stat === undefined) continue
    yield { key: textOf(name), bytes: Number(stat.size), etag: etagOf(stat), modifiedAtMs: Number(stat.mtimeMs) }
  }
}

/** The names in the folder of a key prefix ('' or ending in a slash), in order; none when there is no such folder. */
async function readFolder(layout: DirectoryLayout, parent: string): Promise<Entry[]> {
  const path = parent === '' ? layout.root : layout.folderPath(parent)
  const entries: Entry[] = []
  await collect(path, '', entries)
  const isOwn = ({ name }: Entry) => parent === '' && NOT_KEYS.includes(name)
  return entries.filter(entry => !isOwn(entry)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What lies beside the keys in the root: our own, and what ext4 puts into the root of a disk, readable by nobody. */
const NOT_KEYS = [`${factsName}/`, `${draftsName}/`, 'lost+found/']

async function collect(path: string, head: string, entries: Entry[]): Promise<void> {
  const options = { withFileTypes: true, encoding: 'latin1' } as const
  const dirents: Dirent[] = (await withErrorsOf(path, () => unlessMissing(readdir(raw(path), options)))) ?? []
  for (const dirent of dirents) {
    const name = `${head}${dirent.name}`
    const below = `${path}/${dirent.name}`
    if (dirent.isDirectory() && isHead(dirent.name)) await collect(below, `${head}${headOf(dirent.name)}`, entries)
    // A name that is no text cannot be in a key, so it is not ours.
    else if (bytesOf(textOf(name)) !== name) continue
    else if (dirent.isDirectory()) entries.push({ name: `${name}/`, path: below })
    else if (dirent.isFile()) entries.push({ name, path: below })
    else if (dirent.isSymbolicLink()) entries.push({ name, path: below, isLink: true })
  }
}
