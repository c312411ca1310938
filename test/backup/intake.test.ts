import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { IntakeOptions } from '../../src/backup/reading/intake.ts'
import { Intake } from '../../src/backup/reading/intake.ts'
import { WorkerMemory } from '../../src/backup/memory.ts'
import { MagicError } from '../../src/format/batch/record-batch.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { avroType, decodeAvroRecords } from '../helpers/avro-referee.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { plainRecords } from '../helpers/data-file.ts'
import type { Golden } from '../helpers/golden.ts'
import { readGolden } from '../helpers/golden.ts'
import { encodeBatch } from '../helpers/plain-batch.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { RecordDigest } from '../helpers/records.ts'

const type = avroType(recordSchema)
const golden = readGolden()
const isReadable = ({ name, batches }: Golden) =>
  name !== 'offsets-too-high' && batches.every(({ magic }) => magic === 2)
const endOf = ({ batches }: Golden) => Number(batches.at(-1)!.lastOffset) + 1

const roomy = { hasRoom: true, room: () => Promise.resolve() }

const boundless = { maxBytes: Infinity, maxRecords: Infinity }

function openIntake(position: number, press: IntakeOptions['press'] = roomy, bounds = boundless) {
  const pool = new CountingPool()
  const memory = new WorkerMemory(64 * 1024 * 1024)
  const records: DigestRecord[] = []
  const blocks: { readonly bytes: number; readonly records: number; readonly coversTo: number }[] = []
  const intake = new Intake(position, {
    pool,
    memory,
    press,
    bounds: () => bounds,
    onBlock(block, coversTo, onReleased) {
      records.push(...decodeAvroRecords(type, block.content))
      blocks.push({ bytes: block.length, records: block.records, coversTo })
      block.release()
      onReleased()
    },
  })
  /** All that was taken; no memory may be owed then. */
  const taken = () => {
    intake.sealOpenBlock()
    assert.deepEqual([pool.taken, memory.budget.usedBytes], [0, 0], 'memory that is still held')
    return records
  }
  return {
    intake,
    blocks,
    take: (bytes: Buffer, barrier = Infinity, aborted: { producerId: bigint; firstOffset: number }[] = []) =>
      intake.take({ records: bytes, aborted }, barrier),
    taken,
    offsets: () => taken().map(({ offset }) => Number(offset)),
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

for (const entry of golden.filter(one => isReadable(one) && one.committed === undefined)) {
  test(`what Kafka wrote is taken as Kafka reads it: ${entry.name}`, async () => {
    const { take, taken, intake } = openIntake(Number(entry.batches[0]?.baseOffset ?? 0))
    const count = await take(entry.bytes)
    const digests = entry.batches.filter(({ isControl }) => !isControl)
    assert.equal(
      count,
      digests.reduce((sum, batch) => sum + batch.count, 0),
    )
    assert.equal(intake.position, endOf(entry), 'also behind markers and what compaction took')
    const all = taken()
    let at = 0
    for (const { count: inBatch, digest } of digests) {
      const own = new RecordDigest()
      for (const record of all.slice(at, (at += inBatch))) own.add(record)
      assert.equal(own.values().digest, digest)
    }
    assert.equal(all.length, at)
  })
}

for (const { name, bytes, fetchOffset, aborted = [], committed } of golden.filter(one => isReadable(one))) {
  if (committed === undefined) continue
  test(`of a log with transactions, what was committed is taken: ${name}`, async () => {
    const { take, offsets } = openIntake(Number(fetchOffset))
    const list = aborted.map(one => ({ producerId: BigInt(one.producerId), firstOffset: Number(one.firstOffset) }))
    await take(bytes, Infinity, list)
    assert.deepEqual(offsets(), committed.map(Number))
  })
}

const records = plainRecords(60, 100)
const batches = [0, 20, 40].map(at => encodeBatch(records.slice(at, at + 20)))
const log = Buffer.concat(batches)

test('from whatever position inside a batch, what lies before it is not taken again', async () => {
  for (let from = 99; from <= 160; from++) {
    const { take, offsets, intake } = openIntake(from)
    await take(log)
    assert.deepEqual(offsets(), range(Math.max(from, 100), 160))
    assert.equal(intake.position, 160)
  }
})

test('a barrier anywhere, inside of a batch as well, is where taking ends', async () => {
  for (let barrier = 101; barrier <= 161; barrier++) {
    const { take, offsets, intake } = openIntake(100)
    await take(log, barrier)
    assert.equal(intake.position, Math.min(barrier, 160))
    assert.deepEqual(offsets(), range(100, Math.min(barrier, 160)))
  }
})

test('a batch that was cut off at the end of an answer is left for the next one', async () => {
  for (const cut of [1, 20, 61, batches[2]!.length - 1]) {
    const { take, offsets, intake } = openIntake(100)
    await take(log.subarray(0, log.length - cut))
    assert.equal(intake.position, 140)
    await take(batches[2]!)
    assert.deepEqual(offsets(), range(100, 160))
  }
})

test('nothing of an answer counts when a reset came in the middle of it', async () => {
  const gzip = { attributes: 1, encodePayload: (bytes: Buffer) => gzipSync(bytes) }
  const compressed = Buffer.concat([0, 20, 40].map(at => encodeBatch(records.slice(at, at + 20), gzip)))
  const { take, offsets, intake, blocks } = openIntake(100)
  const taking = take(compressed)
  intake.reset(107)
  assert.equal(await taking, undefined)
  assert.equal(intake.position, 107)
  assert.deepEqual([offsets(), blocks], [[], []])
  await take(compressed)
  assert.deepEqual(offsets(), range(107, 160))
})

test('nothing of an answer counts when a reset came while it waited for the compression', async () => {
  const room = Promise.withResolvers<void>()
  const { take, offsets, intake } = openIntake(100, {
    get hasRoom() {
      return intake.position !== 120
    },
    room: () => room.promise,
  })
  const taking = take(log)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(intake.position, 120)
  intake.reset(105)
  room.resolve()
  assert.equal(await taking, undefined)
  assert.equal(intake.position, 105)
  assert.deepEqual(offsets(), [])
})

test('a reset drops what was taken and not handed on', async () => {
  const { take, offsets, intake } = openIntake(100)
  await take(batches[0]!)
  assert.ok(intake.openBytes > 0)
  intake.reset(110)
  assert.equal(intake.openBytes, 0)
  await take(log)
  assert.deepEqual(offsets(), range(110, 160))
})

test('at a batch that fails its checksum taking stops, what was sound counts, and a good copy goes on there', async () => {
  for (const at of [batches[0]!.length + 70, batches[0]!.length + 22]) {
    const damaged = Buffer.from(log)
    damaged[at]! ^= 0x10
    const { take, offsets, intake } = openIntake(100)
    await assert.rejects(take(damaged), { name: 'DecodeError' })
    assert.equal(intake.position, 120)
    await take(log)
    assert.deepEqual(offsets(), range(100, 160))
  }
})

test('at a record that does not fit its batch taking stops behind the last sound one', async () => {
  const short = encodeBatch(records.slice(20, 40), { encodePayload: bytes => bytes.subarray(0, -1) })
  const { take, offsets, intake } = openIntake(100)
  await assert.rejects(take(Buffer.concat([batches[0]!, short, batches[2]!])), { name: 'DecodeError' })
  assert.equal(intake.position, 139)
  await take(log)
  assert.deepEqual(offsets(), range(100, 160))
})

test('old message formats are refused by name', async () => {
  for (const { name, bytes } of golden.filter(({ batches: some }) => some.some(({ magic }) => magic < 2))) {
    const { take, taken } = openIntake(0)
    await assert.rejects(take(bytes), MagicError, name)
    assert.deepEqual(taken(), [])
  }
})

test('large answers become blocks of about a megabyte, one behind the other', async () => {
  const many = plainRecords(5_000, 0, 1_000)
  const { take, offsets, blocks } = openIntake(0)
  for (let at = 0; at < many.length; at += 500) await take(encodeBatch(many.slice(at, at + 500)))
  assert.deepEqual(offsets(), range(0, 5_000))
  assert.equal(blocks.length, 5)
  for (const [n, { bytes, coversTo }] of blocks.entries()) {
    assert.ok(n === 4 || (bytes >= 1024 * 1024 && bytes < 1024 * 1024 + 2_000), `${bytes}`)
    assert.ok(coversTo > (blocks[n - 1]?.coversTo ?? 0))
  }
  assert.equal(blocks.at(-1)!.coversTo, 5_000)
})

test('no block has more records than it may have, and every record is taken once', async () => {
  for (const maxRecords of [1, 7, 20, 21, 59, 60, 61]) {
    const { take, offsets, blocks } = openIntake(100, roomy, { maxBytes: Infinity, maxRecords })
    assert.equal(await take(log), 60)
    assert.deepEqual(offsets(), range(100, 160))
    const full = Math.floor(60 / maxRecords)
    const rest = 60 % maxRecords
    assert.deepEqual(
      blocks.map(block => block.records),
      [...Array.from({ length: full }, () => maxRecords), ...(rest > 0 ? [rest] : [])],
    )
  }
})

test('no block has more bytes than it may have, unless of a single record, and none is closed before it must', async () => {
  const whole = openIntake(100)
  await whole.take(log)
  whole.intake.sealOpenBlock()
  const allBytes = whole.blocks[0]!.bytes
  for (const maxBytes of [1, 40, 333, 1_000, allBytes - 1, allBytes, allBytes + 1]) {
    const { take, offsets, blocks } = openIntake(100, roomy, { maxBytes, maxRecords: Infinity })
    assert.equal(await take(log), 60)
    assert.deepEqual(offsets(), range(100, 160))
    for (const { bytes, records: count } of blocks)
      assert.ok(bytes <= maxBytes || count === 1, `${bytes} of ${maxBytes}`)
    for (const [n, { bytes }] of blocks.slice(1).entries()) assert.ok(blocks[n]!.bytes + bytes > maxBytes)
    assert.equal(blocks.length === 1, maxBytes >= allBytes)
  }
})
