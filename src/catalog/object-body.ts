import { createHash } from 'node:crypto'
import type { ObjectBody } from '../storage/port.ts'

/** A body of bytes in memory. */
export function bodyOf(content: Buffer): ObjectBody {
  return {
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    async *open() {
      yield content
    },
  }
}
