import { isMaxbrodError, systemCodeOf } from './errors.ts'

/**
 * The working directory, as a port: rooms know no file system. Paths are absolute or relative to the process, as given
 * by the user. Errors are MaxbrodError DISK with the path and the system's reason; a missing file is `undefined`.
 */
export interface Disk {
  /** Creates the folder and its parents; existing ones are fine. */
  makeFolder(path: string): Promise<void>
  /** Names in a folder, sorted; empty when it does not exist. */
  list(path: string): Promise<string[]>
  /** Opens a file to append to, and creates it if needed. */
  openAppend(path: string): Promise<AppendFile>
  /** The whole file. */
  read(path: string): Promise<Buffer | undefined>
  /** The file in pieces of at most `pieceBytes`, from the beginning. */
  readPieces(path: string, pieceBytes: number): AsyncIterable<Buffer>
  /** Writes a small file whole: new content or the old one, never a part, also after a power loss. */
  replace(path: string, content: string): Promise<void>
  /** Cuts a file to its first `bytes`; a missing one is fine. */
  truncate(path: string, bytes: number): Promise<void>
  /** Removes a file; a missing one is fine. */
  remove(path: string): Promise<void>
  /** Removes a folder with all that is in it. Only for folders that maxbrod made. */
  removeFolder(path: string): Promise<void>
  /** Flushes a file's content to the device. */
  sync(path: string): Promise<void>
  /** Bytes that may still be written below `path`. */
  freeBytes(path: string): Promise<number>
  /** An exclusive lock that ends with the process, even by SIGKILL; undefined when another process holds it. */
  lock(path: string): Promise<Disposable | undefined>
}

export interface AppendFile {
  /** Appends the pieces in one write. Not synced. One call at a time. */
  append(pieces: readonly Uint8Array[]): Promise<void>
  close(): Promise<void>
}

/** True for an error that space alone can heal: the disk is full, or the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  const code = isMaxbrodError(error, 'DISK') ? systemCodeOf(error.cause) : undefined
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** True for an error that says that there is no such file. */
export function isMissingFile(error: unknown): boolean {
  return isMaxbrodError(error, 'DISK') && systemCodeOf(error.cause) === 'ENOENT'
}
