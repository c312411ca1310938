import type { Schema } from 'avsc'
import { DecodeError, readInteger } from '../batch/varint.ts'
import type { Cursor } from '../batch/varint.ts'

/**
 * Passes one value of the schema, or throws DecodeError when the bytes hold none. avsc reads over the end of its bytes and
 * looks back only afterwards: a count of 2^40 that a file of ten bytes claims would take all memory before that.
 */
export function passValue(schema: Schema, cursor: Cursor): void {
  if (Array.isArray(schema)) return passValue(pick(schema, readInteger(cursor)), cursor)
  if (typeof schema !== 'string' && 'type' in schema) {
    if (schema.type === 'record' && 'fields' in schema) {
      for (const { type } of schema.fields) passValue(type, cursor)
      return
    }
    if (schema.type === 'array' && 'items' in schema) return passItems(cursor, () => passValue(schema.items, cursor))
    if (schema.type === 'map' && 'values' in schema) {
      return passItems(cursor, () => {
        passBytes(cursor, readInteger(cursor))
        passValue(schema.values, cursor)
      })
    }
    return passPrimitive(schema.type, cursor)
  }
  passPrimitive(schema, cursor)
}

function passPrimitive(type: unknown, cursor: Cursor): void {
  switch (type) {
    case 'null':
      return
    case 'int': {
      const value = readInteger(cursor)
      if (value < -(2 ** 31) || value >= 2 ** 31) throw new DecodeError(`an int of ${value}`)
      return
    }
    case 'long':
      readInteger(cursor)
      return
    case 'bytes':
    case 'string':
      return passBytes(cursor, readInteger(cursor))
    case 'boolean':
      return passBytes(cursor, 1)
    default:
      throw new Error(`maxbrod bug: no snapshot has the type ${JSON.stringify(type)}`)
  }
}

function passItems(cursor: Cursor, passItem: () => void): void {
  for (let count = readInteger(cursor); count !== 0; count = readInteger(cursor)) {
    if (count < 0) readInteger(cursor) // the block's size in bytes, for readers that skip
    // No item of ours is empty, so this ends with the bytes.
    for (let left = Math.abs(count); left > 0; left--) passItem()
  }
}

function passBytes(cursor: Cursor, length: number): void {
  if (length < 0 || length > cursor.bytes.length - cursor.at) throw new DecodeError(`a field length of ${length}`)
  cursor.at += length
}

function pick(branches: readonly Schema[], index: number): Schema {
  const branch = branches[index]
  if (branch === undefined) throw new DecodeError(`a union branch of ${index}`)
  return branch
}
