import { DecodeError } from './batch/varint.ts'
import { isTopicName } from './keys.ts'

/** The fields of a JSON object in a plan record, read one by one: each throws DecodeError for anything but what it asks for. */
export type Fields = Readonly<Record<string, unknown>>

const MAX_INT32 = 2 ** 31 - 1

export function parseObject(value: Buffer | null): Fields {
  if (value === null) throw new DecodeError('a record without a value')
  try {
    return asFields(JSON.parse(value.toString()))
  } catch (cause) {
    throw new DecodeError('a record that is no JSON object', { cause })
  }
}

export function asFields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new DecodeError('something else than an object')
  return value as Fields
}

export function object(fields: Fields, name: string): Fields {
  return asFields(fields[name])
}

/** A closed-open range. */
export function range(fields: Fields, from: string, to: string): [from: number, to: number] {
  const start = whole(fields, from)
  const end = whole(fields, to)
  if (end < start) throw new DecodeError(`a range from ${start} to ${end}`)
  return [start, end]
}

export function list(fields: Fields, name: string): Fields[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new DecodeError(`${name} is no list`)
  return value.map(asFields)
}

export function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new DecodeError(`${name} is no text`)
  return value
}

export function topicName(fields: Fields, name: string): string {
  const value = text(fields, name)
  if (!isTopicName(value)) throw new DecodeError(`a topic of the name ${JSON.stringify(value)}`)
  return value
}

export function partitionNumber(fields: Fields): number {
  const value = whole(fields, 'partition')
  if (value > MAX_INT32) throw new DecodeError(`a partition of ${value}`)
  return value
}

export function optionalText(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined ? undefined : text(fields, name)
}

export function optionalWhole(fields: Fields, name: string): number | undefined {
  return fields[name] === undefined ? undefined : whole(fields, name)
}

export function whole(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new DecodeError(`${name} is no whole number`)
  return value
}

export function texts(fields: Fields, name: string): string[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new DecodeError(`${name} is no list`)
  return value.map((_, index) => text(value as unknown as Fields, String(index)))
}

export function numbers(fields: Fields, name: string): number[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new DecodeError(`${name} is no list`)
  return value.map((_, index) => whole(value as unknown as Fields, String(index)))
}

export function pairs(fields: Fields, name: string): [string, string][] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new DecodeError(`${name} is no list`)
  return value.map((pair: unknown) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new DecodeError(`${name} holds something else than pairs`)
    return [text(pair as unknown as Fields, '0'), text(pair as unknown as Fields, '1')]
  })
}

export function configValues(fields: Fields): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value === null ? null : text(fields, name)]),
  )
}
