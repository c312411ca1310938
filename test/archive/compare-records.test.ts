import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareRecords } from '../../src/archive/compare-records.ts'
import type { Difference } from '../../src/archive/compare-records.ts'
import type { KafkaRecord } from '../../src/format/batch/records.ts'
import type { PlainRecord } from '../../src/format/transcode/plain-record.ts'
import { Dice } from '../helpers/seed.ts'

const bytes = (text: string) => Buffer.from(text)

function archived(offset: number): PlainRecord {
  const headers: PlainRecord['headers'] = [
    [bytes('a'), bytes('1')],
    [bytes('b'), null],
    [bytes('a'), bytes('2')],
  ]
  const key = offset % 3 === 0 ? null : bytes(`k${offset}`)
  return { offset, timestamp: 1_700_000_000_000 + offset, key, value: bytes(`value ${offset}`), headers }
}

/** As a restore puts it, at the `at`-th place. */
function restored({ offset, timestamp, key, value, headers }: PlainRecord, at = 0): KafkaRecord {
  const all = [...headers, [bytes('restore.source-offset'), bytes(`${offset}`)] as const]
  return {
    offset: at,
    timestamp: BigInt(timestamp),
    key,
    value,
    headers: all.map(([name, content]) => ({ key: name, value: content })),
  }
}

/** Offsets with gaps, as compaction leaves them. */
const records = Array.from({ length: 40 }, (_, n) => archived(100 + n * 2))
const copies = records.map(restored)

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** Like a block that is used again for the next record: who keeps a record must have copied it. */
async function* fleeting(items: readonly PlainRecord[]): AsyncGenerator<PlainRecord> {
  for (const { key, value, headers, ...rest } of items) {
    const own = (content: Buffer | null) => (content === null ? null : Buffer.from(content))
    const record = {
      ...rest,
      key: own(key),
      value: own(value),
      headers: headers.map(([n, v]) => [own(n)!, own(v)] as const),
    }
    yield record
    for (const part of [record.key, record.value, ...record.headers.flat()]) part?.fill(0xff)
  }
}

async function compare(found: readonly KafkaRecord[], wanted = records): Promise<string[]> {
  const differences: Difference[] = []
  let seen = 0
  await compareRecords(
    fleeting(wanted),
    stream(found),
    () => void seen++,
    one => void differences.push(one),
  )
  assert.equal(seen, wanted.length, 'each record of the archive is looked for once')
  return differences.map(({ kind, offset, restoredOffset, fields }) =>
    [kind, offset, restoredOffset, ...fields].join(' '),
  )
}

/** The copies, of which some stand otherwise now. */
function changed(change: (all: KafkaRecord[]) => void): KafkaRecord[] {
  const all = [...copies]
  change(all)
  return all.map((record, offset) => ({ ...record, offset }))
}

test('what is the same has no difference, also of nothing', async () => {
  assert.deepEqual(await compare(copies), [])
  assert.deepEqual(await compare([], []), [])
})

test('one other byte, time, null or header is named by offset and field', async () => {
  const at = 7
  const { key, value, headers, timestamp } = copies[at]!
  const [a, b, c, source] = headers
  for (const [change, field] of [
    [{ value: bytes('value 11!') }, 'value'],
    [{ value: null }, 'value'],
    [{ value: bytes('') }, 'value'],
    [{ key: bytes('') }, 'key'],
    [{ timestamp: timestamp + 1n }, 'timestamp'],
    [{ headers: [b!, a!, c!, source!] }, 'headers'],
    [{ headers: [a!, b!, source!] }, 'headers'],
    [{ headers: [a!, b!, c!] }, 'headers'],
    [{ headers: [a!, b!, c!, source!, source!] }, 'headers'],
    [{ headers: [a!, { ...b!, value: bytes('') }, c!, source!] }, 'headers'],
    [{ headers: [a!, b!, { ...c!, key: bytes('A') }, source!] }, 'headers'],
    [{ headers: [source!, a!, b!, c!] }, 'headers'],
    [{ headers: [a!, b!, c!, { ...source!, value: bytes('7') }] }, 'headers'],
    [{ headers: [a!, b!, c!, { ...source!, value: bytes('9007199254740990') }] }, 'headers'],
    [{ key, value, headers: [], timestamp: 0n }, 'timestamp headers'],
  ] as const) {
    const found = changed(all => void (all[at] = { ...all[at]!, ...change }))
    assert.deepEqual(await compare(found), [`changed ${records[at]!.offset} ${at} ${field}`])
  }
})

test('two swapped records are both named, neighbours or not', async () => {
  for (const [one, other] of [
    [0, 1],
    [7, 8],
    [3, 30],
    [38, 39],
    [0, 39],
  ] as const) {
    const found = changed(all => void ([all[one], all[other]] = [all[other]!, all[one]!]))
    const named = (await compare(found)).map(line => line.split(' ').slice(0, 3).join(' '))
    assert.deepEqual(
      named,
      [one, other].map(at => `misplaced ${records[at]!.offset} ${at}`),
    )
  }
})

test('records that are missing, doubled or of nowhere are named, and those behind them are not', async () => {
  const drop = (from: number, count: number) => changed(all => void all.splice(from, count))
  const missing = (from: number, count: number) =>
    records.slice(from, from + count).map(({ offset }) => `missing ${offset} `)
  for (const [from, count] of [
    [0, 1],
    [7, 1],
    [39, 1],
    [5, 3],
    [0, 30],
    [9, 31],
    [0, 40],
  ] as const)
    assert.deepEqual(await compare(drop(from, count)), missing(from, count))
  const twice = (from: number, count: number) =>
    changed(all => void all.splice(from + count, 0, ...all.slice(from, from + count)))
  for (const [from, count] of [
    [0, 1],
    [7, 1],
    [39, 1],
    [5, 3],
    [2, 20],
  ] as const) {
    const named = await compare(twice(from, count))
    assert.deepEqual(
      named,
      records.slice(from, from + count).map(({ offset }, n) => `unexpected ${offset} ${from + count + n}`),
    )
  }
  const stranger = { ...copies[0]!, headers: [] }
  assert.deepEqual(await compare(changed(all => void all.push(stranger))), ['unexpected  40'])
})

test('whatever is done to a copy, there is a difference, and where nothing was done there is none', async t => {
  const dice = new Dice(t.fullName)
  for (let round = 0; round < 100; round++) {
    const edits = dice.between(1, 3)
    const touched = new Set<number>()
    const found = changed(all => {
      for (let n = 0; n < edits; n++) {
        const at = dice.between(0, all.length - 1)
        const record = all[at]!
        touched.add(records.findIndex(({ offset }) => String(offset) === record.headers.at(-1)?.value?.toString()))
        const verb = dice.pick(['drop', 'double', 'value', 'swap'])
        if (verb === 'drop') all.splice(at, 1)
        else if (verb === 'double') all.splice(at, 0, record)
        else if (verb === 'value') all[at] = { ...record, value: bytes(`other ${round} ${n}`) }
        else {
          const other = (at + 1) % all.length
          touched.add(
            records.findIndex(({ offset }) => String(offset) === all[other]!.headers.at(-1)?.value?.toString()),
          )
          ;[all[at], all[other]] = [all[other]!, record]
        }
      }
    })
    const isSame = found.length === copies.length && found.every((record, n) => record.value === copies[n]!.value)
    const named = await compare(found)
    assert.equal(named.length > 0, !isSame, `round ${round}`)
    assert.ok(named.length <= 40, `round ${round}: ${named.length} differences for ${edits} edits`)
  }
})
