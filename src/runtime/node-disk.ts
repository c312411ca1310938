import { constants } from 'node:fs'
import { mkdir, open, readFile, readdir, rename, rm, stat, statfs, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Disk } from './disk.ts'
import { MaxbrodError, messageOf, systemCodeOf } from './errors.ts'
import { makeFolders } from './make-folders.ts'
import type { FolderMaking } from './make-folders.ts'

/** The disk port over node:fs. */
export const nodeDisk: Disk = {
  makeFolder: path => guard(path, async () => void (await makeFolders(path, folders))),

  list: path => guard(path, async () => (await orUndefined(readdir(path)))?.sort() ?? []),

  openAppend: path =>
    guard(path, async () => {
      const file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o640)
      return {
        append: pieces =>
          guard(path, async () => {
            const { bytesWritten } = await file.writev(pieces)
            const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
            // A disk that becomes full takes a part first; only the rest is told why.
            if (bytesWritten !== bytes) await file.writeFile(Buffer.concat(pieces).subarray(bytesWritten))
          }),
        close: () => guard(path, () => file.close()),
      }
    }),

  read: path => guard(path, () => orUndefined(readFile(path))),

  async *readPieces(path, pieceBytes) {
    await using file = await guard(path, () => open(path))
    for (let position = 0; ;) {
      const piece = Buffer.allocUnsafe(pieceBytes)
      const { bytesRead } = await guard(path, () => file.read(piece, 0, pieceBytes, position))
      if (bytesRead === 0) return
      position += bytesRead
      yield piece.subarray(0, bytesRead)
    }
  },

  replace: (path, content) =>
    guard(path, async () => {
      const draft = `${path}.draft`
      {
        await using file = await open(draft, 'w', 0o640)
        await file.writeFile(content)
        await file.sync()
      }
      await rename(draft, path)
      await using folder = await open(dirname(path))
      await folder.sync()
    }),

  truncate: (path, bytes) => guard(path, () => orUndefined(truncate(path, bytes))),

  remove: path => guard(path, () => rm(path, { force: true })),

  removeFolder: path => guard(path, () => rm(path, { recursive: true, force: true })),

  sync: path =>
    guard(path, async () => {
      await using file = await open(path)
      await file.datasync()
    }),

  freeBytes: path =>
    guard(path, async () => {
      const { bavail, bsize } = await statfs(path)
      return bavail * bsize
    }),

  lock: path =>
    guard(path, () => {
      // Node has no flock. SQLite's exclusive mode holds a kernel lock on the file, which dies with the process.
      const database = new DatabaseSync(path)
      try {
        database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
      } catch (error) {
        database.close()
        if (messageOf(error).includes('locked')) return Promise.resolve(undefined)
        throw error
      }
      return Promise.resolve({ [Symbol.dispose]: () => database.close() })
    }),
}

const folders: FolderMaking = {
  make: path => mkdir(path),
  isFolder: path =>
    stat(path).then(
      found => found.isDirectory(),
      () => false,
    ),
  above: dirname,
}

async function guard<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const hint =
      systemCodeOf(cause) === 'ENOSPC' || systemCodeOf(cause) === 'EDQUOT'
        ? 'free some space; nothing is lost, Kafka still holds what was not uploaded'
        : 'check that the directory exists and that this user may write there'
    throw new MaxbrodError('DISK', `cannot use ${path}: ${messageOf(cause)}`, { path, hint, cause })
  }
}

async function orUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
