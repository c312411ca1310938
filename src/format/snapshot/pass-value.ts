import type { Schema } from 'avsc'
import { DecodeError, readInteger } from '../batch/varint.ts'
import type { Cursor } from '../batch/varint.ts'

/** How many records, items and entries a file may still hold: the smallest take a byte of it and a hundred in memory. */
export interface Allowance {
  left: number
}

/**
 * Passes one value of the schema, or throws DecodeError when the bytes hold none. avsc reads over the end of its bytes and
 * looks back only afterwards: a count of 2^40 that a file of ten bytes claims would take all memory before that.
 */
export function passValue(schema: Schema, cursor: Cursor, items: Allowance): void {
  if (Array.isArray(schema)) return passValue(pick(schema, readInteger(cursor)), cursor, items)
  if (typeof schema !== 'string' && 'type' in schema) {
    if (schema.type === 'record' && 'fields' in schema) {
      for (const { type } of schema.fields) passValue(type, cursor, items)
      return
    }
    if (schema.type === 'array' && 'items' in schema)
      return passItems(cursor, items, () => passValue(schema.items, cursor, items))
    if (schema.type === 'map' && 'values' in schema) {
      return passItems(cursor, items, () => {
        passBytes(cursor, readInteger(cursor))
        passValue(schema.values, cursor, items)
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

function passItems(cursor: Cursor, items: Allowance, passItem: () => void): void {
  for (let count = readInteger(cursor); count !== 0; count = readInteger(cursor)) {
    if (count < 0) readInteger(cursor) // the block's size in bytes, for readers that skip
    // No item of ours is empty, so this ends with the bytes.
    take(Math.abs(count), items)
    for (let left = Math.abs(count); left > 0; left--) passItem()
  }
}

/** Throws DecodeError when so many more may not come. */
export function take(count: number, items: Allowance): void {
  if (count > items.left) throw new DecodeError('more records and items than anybody has')
  items.left -= count
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
