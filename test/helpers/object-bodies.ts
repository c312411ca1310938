import { createHash } from 'node:crypto'
import type { ObjectBody, ObjectRead } from '../../src/storage/port.ts'

/** A body for `put`, handed out in pieces. */
export function bodyOf(content: string | Buffer, pieceBytes = 100_000): ObjectBody {
  const bytes = Buffer.from(content)
  return {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    async *open() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
    },
  }
}

/** Bytes that differ at every place, so that a piece at the wrong place shows; cheap for megabytes. */
export function patternOf(bytes: number): Buffer {
  const pattern = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) pattern.writeUInt32LE(at, at)
  return pattern
}

/** All that is left of a body. */
export async function contentOf({ body }: ObjectRead): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** All of a listing. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
