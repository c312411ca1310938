import { KEY_BYTES_MAX, compareEntries, lengthOf } from './key-table.ts'
import type { TableEntry } from './key-table.ts'
import type { EntryKind } from './runs.ts'

const FIXED_BYTES = 4 + 8 + 1

/** Keys with their latest offsets: hash, offset, form, bytes. */
export const keyEntries: EntryKind<TableEntry> = {
  maxBytes: FIXED_BYTES + KEY_BYTES_MAX,
  write({ hash, offset, form, bytes }, out, at) {
    at = out.writeUInt32LE(hash, at)
    at = out.writeDoubleLE(offset, at)
    out[at++] = form
    return at + bytes.copy(out, at)
  },
  read(bytes, at, end) {
    if (at + FIXED_BYTES > end) return undefined
    const form = bytes[at + 12] as number
    const start = at + FIXED_BYTES
    const next = start + lengthOf(form)
    if (next > end) return undefined
    const entry = {
      hash: bytes.readUInt32LE(at),
      offset: bytes.readDoubleLE(at + 4),
      form,
      bytes: bytes.subarray(start, next),
    }
    return { entry, next }
  },
  compare: compareEntries,
}

export const offsetEntries: EntryKind<number> = {
  maxBytes: 8,
  write: (offset, out, at) => out.writeDoubleLE(offset, at),
  read: (bytes, at, end) => (at + 8 > end ? undefined : { entry: bytes.readDoubleLE(at), next: at + 8 }),
  compare: (a, b) => a - b,
}
