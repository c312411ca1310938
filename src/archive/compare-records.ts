import { SOURCE_OFFSET_HEADER } from '../format/transcode/source-offset.ts'
import type { PlainRecord } from '../format/transcode/plain-record.ts'
import type { KafkaRecord } from '../format/batch/records.ts'
import { sourceOffsetOf } from '../kafka/tail.ts'
import { LookAhead } from './look-ahead.ts'
import type { Window } from './look-ahead.ts'

/**
 * changed: the record is there with another content. misplaced: another record stands in its place. missing: it is not there.
 * unexpected: a record that the archive does not have there.
 */
export type DifferenceKind = 'changed' | 'misplaced' | 'missing' | 'unexpected'

export interface Difference {
  readonly kind: DifferenceKind
  /** Of the record in the archive; of an unexpected one what its header says. */
  readonly offset: number | undefined
  /** Where it stands, or something else in its place, in what was restored; undefined when it is missing. */
  readonly restoredOffset: number | undefined
  /** What is other: timestamp, key, value, headers. */
  readonly fields: readonly string[]
  readonly says: string
}

/**
 * Compares what the archive has of a partition with what was restored of it, record by record: key, value, headers in their
 * order, timestamp, and the header that says which record it was. Both are streams; a difference does not end them. `onRecord` is
 * called for each record of the archive. Source offsets ascend.
 */
export async function compareRecords(
  archive: AsyncIterable<PlainRecord>,
  restored: AsyncIterable<KafkaRecord>,
  onRecord: (record: PlainRecord) => void,
  onDifference: (found: Difference) => void,
): Promise<void> {
  await using expected = new LookAhead(archive, keepPlain, plainBytes)
  await using actual = new LookAhead(restored, record => record, kafkaBytes)
  for (;;) {
    const [one, other] = [await expected.next(), await actual.next()]
    if (one === undefined && other === undefined) return
    if (one !== undefined && other !== undefined && differingFields(one, other).length === 0) {
      onRecord(one)
      expected.pass()
      actual.pass()
      continue
    }
    const { pairs, missing, unexpected } = align(await expected.ahead(), await actual.ahead())
    for (const [record, found] of pairs) onDifference(differenceOf(record, found))
    for (const record of missing) onDifference(missingRecord(record))
    for (const found of unexpected) onDifference(unexpectedRecord(found))
    for (const record of [...pairs.map(([first]) => first), ...missing]) onRecord(record)
    expected.pass(pairs.length + missing.length)
    actual.pass(pairs.length + unexpected.length)
  }
}

/** What of two windows belongs together, up to where they agree again. */
interface Alignment {
  readonly pairs: readonly (readonly [PlainRecord, KafkaRecord])[]
  readonly missing: readonly PlainRecord[]
  readonly unexpected: readonly KafkaRecord[]
}

/**
 * Where two streams that differ agree again: first with as many records on both sides (changed and swapped ones), else with
 * the fewest that one of them has more. Pure.
 */
function align(expected: Window<PlainRecord>, actual: Window<KafkaRecord>): Alignment {
  const [wanted, found] = [expected.items, actual.items]
  const offsets = found.map(sourceOffsetOf)
  const take = (n: number, m: number): Alignment => {
    const both = Math.min(n, m)
    const pairs = wanted.slice(0, both).flatMap((record, at) => {
      const other = found[at]
      return other === undefined ? [] : [[record, other] as const]
    })
    return { pairs, missing: wanted.slice(both, n), unexpected: found.slice(both, m) }
  }
  if (wanted[0] !== undefined && offsets[0] === wanted[0].offset) return take(1, 1)
  const agree = (n: number, m: number) =>
    wanted[n] !== undefined && found[m] !== undefined && wanted[n].offset === offsets[m]
  const end = (n: number, m: number) => expected.isEnd && actual.isEnd && n === wanted.length && m === found.length
  const most = Math.max(wanted.length, found.length)
  for (let n = 1; n <= most; n++) if (agree(n, n) || end(n, n)) return take(n, n)
  for (let sum = 1; sum <= wanted.length + found.length; sum++)
    for (let n = 0; n <= sum; n++) if (agree(n, sum - n) || end(n, sum - n)) return take(n, sum - n)
  // Nothing near agrees. Offsets ascend: the smaller one stands alone.
  const [first] = offsets
  if (wanted[0] === undefined) return take(0, 1)
  if (found.length === 0) return take(1, 0)
  if (first === undefined) return take(1, 1)
  return first > wanted[0].offset ? take(1, 0) : take(0, 1)
}

function differenceOf(record: PlainRecord, found: KafkaRecord): Difference {
  const fields = differingFields(record, found)
  const at = sourceOffsetOf(found)
  const isOther = at !== undefined && at !== record.offset && fields.some(field => field !== 'headers')
  const where = { offset: record.offset, restoredOffset: found.offset, fields }
  if (isOther) return { kind: 'misplaced', ...where, says: `the record of offset ${at} stands in its place` }
  return {
    kind: 'changed',
    ...where,
    says: `${fields.join(', ')} ${fields.length === 1 ? 'is' : 'are'} not as in the archive`,
  }
}

function missingRecord({ offset }: PlainRecord): Difference {
  return { kind: 'missing', offset, restoredOffset: undefined, fields: [], says: 'it was not restored' }
}

function unexpectedRecord(found: KafkaRecord): Difference {
  const offset = sourceOffsetOf(found)
  const says =
    offset === undefined ? 'a record that does not say where it is from' : 'the archive has no such record there'
  return { kind: 'unexpected', offset, restoredOffset: found.offset, fields: [], says }
}

const HEADER_NAME = Buffer.from(SOURCE_OFFSET_HEADER)

/** What of a restored record is not as the archive has it; the header that a restore adds must be there, at the end. */
function differingFields(record: PlainRecord, found: KafkaRecord): string[] {
  const fields: string[] = []
  if (BigInt(record.timestamp) !== found.timestamp) fields.push('timestamp')
  if (!isSameBytes(record.key, found.key)) fields.push('key')
  if (!isSameBytes(record.value, found.value)) fields.push('value')
  const last = found.headers.at(-1)
  const isSame =
    found.headers.length === record.headers.length + 1 &&
    last !== undefined &&
    last.key.equals(HEADER_NAME) &&
    last.value?.toString('latin1') === String(record.offset) &&
    record.headers.every(([name, value], at) => {
      const other = found.headers[at]
      return other !== undefined && name.equals(other.key) && isSameBytes(value, other.value)
    })
  if (!isSame) fields.push('headers')
  return fields
}

function isSameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b)
}

function keepPlain({ key, value, headers, ...rest }: PlainRecord): PlainRecord {
  const copy = (bytes: Buffer | null) => (bytes === null ? null : Buffer.from(bytes))
  return { ...rest, key: copy(key), value: copy(value), headers: headers.map(([n, v]) => [Buffer.from(n), copy(v)]) }
}

function plainBytes({ key, value, headers }: PlainRecord): number {
  const inHeaders = headers.reduce((sum, [name, content]) => sum + name.length + (content?.length ?? 0), 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders
}

function kafkaBytes({ key, value, headers }: KafkaRecord): number {
  const inHeaders = headers.reduce(
    (sum, { key: name, value: content }) => sum + name.length + (content?.length ?? 0),
    0,
  )
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders
}
