import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { readFileHeader } from '../../src/catalog/tile-header-reader.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { DataFile } from '../helpers/data-file.ts'
import { dataFile, fileSync, inBlocks, plainRecords } from '../helpers/data-file.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import type { TileReading } from '../helpers/read-tile.ts'
import { readTile } from '../helpers/read-tile.ts'

const small = await dataFile(inBlocks(plainRecords(14), 3))
/** Blocks large enough to be handed on one by one, and small in the file because there is little in them. */
const large = await dataFile(inBlocks(plainRecords(2, 100, 270_000), 1))
const empty = await dataFile([])

/** Fails unless the file was refused, for a reason somebody can read. */
function assertRefused({ error }: TileReading, file: DataFile, what: string): void {
  assert.ok(error !== undefined, `${what}: it was taken for a whole file`)
  assert.ok(isMaxbrodError(error, 'OBJECT_CORRUPT', 'OBJECT_LIMIT'), `${what}: ${String((error as Error).stack)}`)
  assert.ok(error.message.startsWith(file.key), `${what}: ${error.message}`)
}

/** The same, and all that came out before is true. */
function assertFound(reading: TileReading, file: DataFile, what: string): void {
  assertRefused(reading, file, what)
  const { blocks } = reading
  const whole = Buffer.concat(file.contents)
  const came = Buffer.concat(blocks.map(({ bytes }) => bytes))
  assert.ok(came.equals(whole.subarray(0, came.length)), `${what}: something else came out of it`)
}

for (const [what, file] of Object.entries({ small, large, empty })) {
  test(`the ${what} file is read whole`, async () => {
    const { error, blocks, header } = await readTile(file.bytes, file.place)
    assert.ifError(error)
    assert.deepEqual(Buffer.concat(blocks.map(({ bytes }) => bytes)), Buffer.concat(file.contents))
    assert.equal(
      blocks.reduce((sum, { records }) => sum + records, 0),
      file.header.content.records,
    )
    assert.deepEqual(header?.kind === 'maxbrod' && header.tile, file.header)
  })

  test(`the ${what} file, cut anywhere, is never taken for a whole one`, async () => {
    for (let length = 0; length < file.bytes.length; length++)
      assertFound(await readTile(file.bytes.subarray(0, length), file.place), file, `cut to ${length} bytes`)
  })

  test(`any one flipped bit of the ${what} file is found, before anything of its block comes out of it`, async () => {
    // Of the header every 29th bit, because all headers are read alike: the next but one test has the others.
    const headerBits = (file.blockStarts[0] ?? file.bytes.length) * 8
    for (let bit = 0; bit < file.bytes.length * 8; bit += bit < headerBits - 29 ? 29 : 1) {
      const flipped = Buffer.from(file.bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      assertFound(await readTile(flipped, file.place), file, `bit ${bit}`)
    }
  })
}

test('a file of 200 blocks that is cut at a block, or beside one, is never taken for a whole one', async () => {
  const file = await dataFile(inBlocks(plainRecords(400), 2))
  assert.equal(file.blockStarts.length, 200)
  for (const start of file.blockStarts.filter((_, n) => n % 9 === 0 || n > 196))
    for (const length of [start - 1, start, start + 1])
      assertFound(await readTile(file.bytes.subarray(0, length), file.place), file, `cut to ${length} bytes`)
})

test('a flipped bit in a header is found by the small read that a planner makes', async () => {
  const headerBytes = small.blockStarts[0]!
  for (let bit = 0; bit < headerBytes * 8; bit++) {
    const flipped = Buffer.from(small.bytes)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    const store = newMemoryStore()
    const put = await store.put(small.key, bodyOf(flipped), {})
    assert.ok(put.created)
    await assert.rejects(
      readFileHeader(store, small.key, small.place, put.etag),
      { code: 'OBJECT_CORRUPT' },
      `bit ${bit}`,
    )
  }
})

describe('a file is refused', () => {
  const [firstStart, secondStart, thirdStart] = small.blockStarts as [number, number, number]
  const blockAt = (n: number) => small.bytes.subarray(small.blockStarts[n], small.blockStarts[n + 1])
  const changed = (change: (bytes: Buffer) => Buffer) => change(Buffer.from(small.bytes))
  const cases: Record<string, Buffer> = {
    'with bytes behind its last block': Buffer.concat([small.bytes, Buffer.from([0])]),
    'with another file behind it': Buffer.concat([small.bytes, small.bytes]),
    'with a block left out': changed(bytes =>
      Buffer.concat([bytes.subarray(0, secondStart), bytes.subarray(thirdStart)]),
    ),
    'with a block twice': changed(bytes => Buffer.concat([bytes.subarray(0, secondStart), bytes.subarray(firstStart)])),
    'with two blocks exchanged': changed(bytes =>
      Buffer.concat([bytes.subarray(0, firstStart), blockAt(1), blockAt(0), bytes.subarray(thirdStart)]),
    ),
    'with a block without records at its end': Buffer.concat([small.bytes, Buffer.from([0, 0]), fileSync]),
    'with a block without records in the middle': changed(bytes =>
      Buffer.concat([bytes.subarray(0, secondStart), Buffer.from([0, 0]), fileSync, bytes.subarray(secondStart)]),
    ),
    'whose blocks are those of another file': Buffer.concat([
      small.bytes.subarray(0, firstStart),
      large.bytes.subarray(large.blockStarts[0]),
    ]),
  }
  for (const [title, bytes] of Object.entries(cases))
    test(title, async () => assertRefused(await readTile(bytes, small.place), small, title))

  test('that lies under the name of another topic, partition, offset or incarnation', async () => {
    const others = [
      { topic: 'payments' },
      { partition: 4 },
      { from: small.place.from + 1 },
      { topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
    ]
    for (const other of others) {
      const { error } = await readTile(small.bytes, { ...small.place, ...other })
      assert.ok(isMaxbrodError(error, 'OBJECT_CORRUPT'), JSON.stringify(other))
    }
  })

  test('whose blocks end in no checksum, before anything comes out of it', async () => {
    const file = await dataFile(inBlocks(plainRecords(2, 100, 270_000), 1), {
      compress: content => zstdCompressSync(content),
    })
    const reading = await readTile(file.bytes, file.place)
    assertFound(reading, file, 'no checksum')
    assert.deepEqual(reading.blocks, [])
  })

  test('when it holds a record larger than was allowed, before any of it is read', async () => {
    const { error, blocks } = await readTile(large.bytes, large.place, { maxRecordBytes: 270_000 })
    assert.ok(isMaxbrodError(error, 'OBJECT_LIMIT'))
    assert.match(error.hint ?? '', /--max-record-bytes/)
    assert.equal(blocks.length, 0)
  })
})

test('a file is read with room for less than one of its blocks', async () => {
  for (const file of [small, large]) {
    const { error, blocks } = await readTile(file.bytes, file.place, { budgetBytes: 1_000 })
    assert.ifError(error)
    assert.deepEqual(Buffer.concat(blocks.map(({ bytes }) => bytes)), Buffer.concat(file.contents))
  }
})

test('small blocks are joined, large ones are not, and none of them changes places', async () => {
  const sizes = [10, 10, 300_000, 10, 300_000, 300_000, 10, 100_000, 100_000, 100_000]
  const file = await dataFile(sizes.map((bytes, n) => plainRecords(1, 100 + n, bytes)))
  const { error, blocks } = await readTile(file.bytes, file.place)
  assert.ifError(error)
  assert.deepEqual(Buffer.concat(blocks.map(({ bytes }) => bytes)), Buffer.concat(file.contents))
  assert.deepEqual(
    blocks.map(({ records }) => records),
    [2, 1, 1, 1, 1, 4],
  )
  const many = await dataFile(inBlocks(plainRecords(300, 100, 9_000), 1))
  const joined = await readTile(many.bytes, many.place)
  assert.ok(joined.blocks.length < 5, `${joined.blocks.length} blocks`)
  assert.ok(joined.blocks.every(({ bytes }) => bytes.length <= 1024 * 1024))
})
