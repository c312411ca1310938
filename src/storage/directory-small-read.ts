import type { BigIntStats } from 'node:fs'
import { close, constants, fstat, open, read } from 'node:fs'
import { unlessMissing } from './directory-files.ts'
import { raw } from './directory-layout.ts'

/** The beginning of a file, or another small part of it, and what the file is. */
export interface SmallRead {
  readonly stat: BigIntStats
  /** Shorter than was asked for only where the file was cut meanwhile. */
  readonly chunk: Buffer
}

/**
 * Opens a regular file, reads a part that fits into one buffer, and closes it again; undefined when there is none. Over plain
 * descriptors: a planner reads a hundred thousand headers, and a FileHandle for each costs as much as all the rest (measured).
 */
export async function readSmall(
  path: string,
  rangeOf: (stat: BigIntStats) => { readonly from: number; readonly to: number },
): Promise<SmallRead | undefined> {
  // NONBLOCK: opening a named pipe would wait for its other end.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const fd = await unlessMissing(done<number>(end => open(raw(path), flags, end)))
  if (fd === undefined) return undefined
  try {
    const stat = await done<BigIntStats>(end => fstat(fd, { bigint: true }, end))
    if (!stat.isFile()) return undefined
    const { from, to } = rangeOf(stat)
    const buffer = Buffer.allocUnsafe(to - from)
    let filled = 0
    while (filled < buffer.length) {
      const bytes = await done<number>(end => read(fd, buffer, filled, buffer.length - filled, from + filled, end))
      if (bytes === 0) break
      filled += bytes
    }
    return { stat, chunk: buffer.subarray(0, filled) }
  } finally {
    await done<undefined>(end => close(fd, error => end(error ?? null, undefined)))
  }
}

function done<T>(start: (end: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error === null ? resolve(value) : reject(error)))
  })
}
