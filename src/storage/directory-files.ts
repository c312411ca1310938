import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { link, lstat, mkdir, open, stat, unlink } from 'node:fs/promises'
import { MaxbrodError, systemCodeOf } from '../runtime/errors.ts'
import { makeFolders } from '../runtime/make-folders.ts'
import type { FolderMaking } from '../runtime/make-folders.ts'
import { folderOf, raw, textOf } from './directory-layout.ts'

/** The file-system calls of the directory driver, over paths of directory-layout.ts. */

/** An open file, and what it is, whatever happens to its name meanwhile. */
export interface OpenFile extends AsyncDisposable {
  readonly file: FileHandle
  readonly stat: BigIntStats
}

/** Opens a regular file to read; undefined when there is none: a link, a pipe or a folder is not an object. */
export async function openFile(path: string): Promise<OpenFile | undefined> {
  // NONBLOCK: opening a named pipe would wait for its other end.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await unlessMissing(open(raw(path), flags))
  if (file === undefined) return undefined
  const found = await file.stat({ bigint: true })
  if (found.isFile()) return { file, stat: found, [Symbol.asyncDispose]: () => file.close() }
  await file.close()
  return undefined
}

/** True when an object is at the path; STORAGE_REFUSED when something else is. */
export async function isTaken(path: string): Promise<boolean> {
  const found = await unlessMissing(lstat(raw(path)))
  if (found === undefined) return false
  if (found.isFile()) return true
  throw inTheWay(path, 'file')
}

/** Gives a file a second name unless that is taken; false when it is. Atomic, and the only way an object appears. */
export async function linkNew(file: string, name: string): Promise<boolean> {
  try {
    await link(raw(file), raw(name))
    return true
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error
    // Somebody may have finished our work, or a network file system lost its own answer: the name is ours then, too.
    const [ours, there] = await Promise.all([statOf(file), statOf(name)])
    return ours !== undefined && there !== undefined && ours.ino === there.ino && ours.dev === there.dev
  }
}

export function statOf(path: string): Promise<BigIntStats | undefined> {
  return unlessMissing(lstat(raw(path), { bigint: true }))
}

/** Writes a new file and flushes it to the device. */
export async function writeNew(path: string, content: AsyncIterable<Uint8Array> | string): Promise<void> {
  await using file = await open(raw(path), 'wx', 0o640)
  await file.writeFile(content)
  await file.sync()
}

/** Removes a name; false when it was missing. */
export async function removeFile(path: string): Promise<boolean> {
  return (await unlessMissing(unlink(raw(path)).then(() => true))) ?? false
}

/** Flushes the names in a folder to the device. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(raw(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } catch (error) {
    // Some network file systems write names at once and know no such request.
    if (!['EINVAL', 'ENOTSUP'].includes(systemCodeOf(error) ?? '')) throw error
  }
}

/** Makes folders whose names are on the device before anything is put into them. */
export class DurableFolders {
  readonly #root: string
  readonly #known = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async make(path: string): Promise<void> {
    // '' is what lies above a first folder of the system.
    if (path === '' || this.#known.has(path)) return
    if (path === this.#root) await makeRoot(path)
    else await this.#makeIn(path, folderOf(path))
    // There are as many as partitions; forgetting costs a few calls.
    if (this.#known.size >= FOLDERS_KNOWN_MAX) this.#known.clear()
    this.#known.add(path)
  }

  /** For when a folder turns out to have been removed. */
  forget(): void {
    this.#known.clear()
  }

  async #makeIn(path: string, parent: string): Promise<void> {
    await this.make(parent)
    try {
      await mkdir(raw(path), 0o750)
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw error
      // Nor a link to one: listings follow none, and what is put behind it would be seen by nobody.
      if ((await statOf(path))?.isDirectory() !== true) throw inTheWay(path, 'folder')
    }
    // Also when it was there: whoever made it may not have lived to do this.
    await syncFolder(parent)
  }
}

const FOLDERS_KNOWN_MAX = 20_000

const folders: FolderMaking = {
  make: path => mkdir(raw(path), 0o750),
  isFolder: path =>
    stat(raw(path)).then(
      found => found.isDirectory(),
      () => false,
    ),
  above: folderOf,
}

async function makeRoot(root: string): Promise<void> {
  const top = (await makeFolders(root, folders)) ?? root
  for (let path = root; path.length >= top.length && path !== ''; path = folderOf(path)) {
    try {
      await syncFolder(folderOf(path) || '/')
    } catch (error) {
      // What lies above the storage folder need not be ours to read.
      if (!['EACCES', 'EPERM'].includes(systemCodeOf(error) ?? '')) throw error
    }
  }
}

function inTheWay(path: string, wanted: 'file' | 'folder'): MaxbrodError {
  const name = textOf(path)
  return new MaxbrodError('STORAGE_REFUSED', `a ${wanted} must go to ${name}, where something else stands`, {
    path: name,
    hint: 'look what stands there; the storage folder should hold nothing but the backup',
  })
}

/** ENOTDIR: a file stands where a folder of the path should be. ELOOP: the last name is a symbolic link. */
const MISSING = ['ENOENT', 'ENOTDIR', 'ELOOP']

export async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (MISSING.includes(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}
