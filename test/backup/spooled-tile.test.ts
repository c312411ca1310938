import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFile, cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { BlockNote, SpoolNote } from '../../src/backup/spool/spool-notes.ts'
import { decodeNotes } from '../../src/backup/spool/spool-notes.ts'
import type { SpooledTile } from '../../src/backup/spool/spooled-tile.ts'
import { readSpooledTile } from '../../src/backup/spool/spooled-tile.ts'
import type { Disk } from '../../src/runtime/disk.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { openChain } from '../helpers/open-chain.ts'

const folder = await mkdtemp(join(tmpdir(), 'maxbrod-spooled-'))
after(() => rm(folder, { recursive: true }))

/** The two files of a tile of four small blocks, a gap in front. */
const whole = await (async () => {
  await using opened = await openChain(newMemoryStore())
  opened.chain.addGap({ from: 0, to: 5, reason: 'retention' })
  opened.skipTo(5)
  for (const to of [9, 12, 13, 20]) await opened.read(to)
  await opened.leave()
  await cp(opened.spoolFolder, folder, { recursive: true })
  const [first = ''] = await readdir(folder)
  const path = join(folder, first.slice(0, 32))
  const [blocks, notes] = [await readFile(`${path}.blocks`), await readFile(`${path}.notes`)]
  return { path, blocks, notes, known: decodeNotes(notes)! }
})()
const all = whole.known.notes.map(({ note }) => note)
const blockNotes = all.filter((note): note is BlockNote => note.kind === 'block')

/** From the two files in memory: thousands of real ones would take a minute. */
async function readBack(blocks: Buffer, notes: Buffer): Promise<SpooledTile | undefined> {
  const files = new Map([
    ['x.blocks', blocks],
    ['x.notes', notes],
  ])
  const disk: Disk = {
    ...nodeDisk,
    read: path => Promise.resolve(files.get(path)),
    async *readPieces(path) {
      const bytes = files.get(path)!
      for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100)
    },
    truncate: (path, bytes) => Promise.resolve(void files.set(path, files.get(path)!.subarray(0, bytes))),
  }
  const tile = await readSpooledTile(disk, 'x')
  if (tile !== undefined) assertIsPrefix(tile, files.get('x.blocks')!, files.get('x.notes')!)
  return tile
}

/** A tile that was read back is the beginning of the one that was written, and so are its files. */
function assertIsPrefix({ notes, to, found }: SpooledTile, blocksLeft: Buffer, notesLeft: Buffer): void {
  assert.deepEqual(notes, all.slice(0, notes.length))
  const last = notes.at(-1)!
  assert.equal(to, last.kind === 'gap' ? last.gap.to : last.to)
  const bytes = sizeOf(notes)
  assert.equal(found.bytes, bytes)
  assert.equal(
    found.hash.copy().digest('hex'),
    createHash('sha256').update(whole.blocks.subarray(0, bytes)).digest('hex'),
  )
  assert.equal(blocksLeft.length, bytes)
  const notesBytes = whole.known.notes[notes.length - 1]!.end
  assert.deepEqual(notesLeft, whole.notes.subarray(0, notesBytes))
}

const sizeOf = (notes: readonly SpoolNote[]) =>
  notes.reduce((sum, note) => sum + (note.kind === 'block' ? note.bytes : 0), 0)

test('a tile is read back from its files as it was written, and what is behind it is cut off', async () => {
  await appendFile(`${whole.path}.blocks`, 'torn')
  await appendFile(`${whole.path}.notes`, '0123')
  const tile = await readSpooledTile(nodeDisk, whole.path)
  assert.deepEqual(await readFile(`${whole.path}.blocks`), whole.blocks)
  assert.deepEqual(await readFile(`${whole.path}.notes`), whole.notes)
  assert.equal(blockNotes.length, 4)
  assert.deepEqual(tile?.notes, all)
  assert.deepEqual([tile?.head.from, tile?.to], [0, 20])
  assert.deepEqual(all[0], { kind: 'gap', gap: { from: 0, to: 5, reason: 'retention' } })
})

test('blocks that end at any byte are cut back to the last whole one', async () => {
  const ends = blockNotes.map((_, n) => sizeOf(blockNotes.slice(0, n + 1)))
  for (let bytes = 0; bytes <= whole.blocks.length; bytes++) {
    const tile = await readBack(whole.blocks.subarray(0, bytes), whole.notes)
    assert.equal(tile?.notes.length, 1 + ends.filter(end => end <= bytes).length, `${bytes} bytes`)
  }
})

test('notes that end at any byte are cut back to the last whole one, and the blocks with them', async () => {
  for (let bytes = 0; bytes <= whole.notes.length; bytes++) {
    const tile = await readBack(whole.blocks, whole.notes.subarray(0, bytes))
    const left = whole.known.notes.filter(({ end }) => end <= bytes).length
    if (left === 0) assert.equal(tile, undefined, `${bytes} bytes`)
    else assert.equal(tile?.notes.length, left, `${bytes} bytes`)
  }
})

test('what comes behind the last whole block is cut off: half a block, zeros of a file that grew without its content', async () => {
  for (const tail of [whole.blocks.subarray(0, 40), Buffer.alloc(5_000)]) {
    const tile = await readBack(Buffer.concat([whole.blocks, tail]), Buffer.concat([whole.notes, tail]))
    assert.equal(tile?.notes.length, all.length)
  }
})

test('any flipped bit ends the tile in front of the block or note that it is in', async () => {
  for (let at = 0; at < whole.blocks.length; at++) {
    const tile = await readBack(flipped(whole.blocks, at), whole.notes)
    assert.ok(sizeOf(tile?.notes ?? []) <= at, `block byte ${at}`)
  }
  for (let at = 0; at < whole.notes.length; at++) {
    const tile = await readBack(whole.blocks, flipped(whole.notes, at))
    const before = whole.known.notes.filter(({ end }) => end <= at).length
    assert.equal(tile?.notes.length ?? 0, before, `note byte ${at}`)
  }
})

test('a tile without blocks and without notes is none, and so is one of another version', async () => {
  assert.equal(await readBack(whole.blocks, Buffer.alloc(0)), undefined)
  assert.equal(await readSpooledTile(nodeDisk, join(folder, 'nothing')), undefined)
  assert.equal(decodeNotes(Buffer.from('00000000 {}\n')), undefined)
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1 << (at % 8)
  return copy
}
