import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { OpenFiles } from '../../src/backup/spool/open-files.ts'
import { SpoolFile } from '../../src/backup/spool/spool-file.ts'
import { ByteBudget } from '../../src/runtime/byte-budget.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { patternOf } from '../helpers/object-bodies.ts'

async function openSpool(limitBytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-spool-'))
  const path = join(folder, 'x')
  const budget = new ByteBudget(limitBytes)
  return {
    path: `${path}.blocks`,
    notesPath: `${path}.notes`,
    budget,
    spool: new SpoolFile({ files: new OpenFiles(nodeDisk, 2), path, budget, head: line('head'), onFull }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

const onFull = () => assert.fail('the disk is not full')
const line = (text: string) => Buffer.from(`${text}\n`)
const note = line('a block')

async function contentOf(spool: SpoolFile): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(spool.pieces()))
}

const content = patternOf(2_500_000)
const pieces = [content.subarray(0, 10), content.subarray(10, 1_500_000), content.subarray(1_500_000)]
const sha256 = createHash('sha256').update(content).digest('hex')

test('what fits in memory is kept there and in the file, and given back when the file is removed', async () => {
  await using opened = await openSpool(content.length)
  const { spool, path, notesPath, budget } = opened
  await spool.append(pieces.slice(0, 1), note)
  await spool.append(pieces.slice(1), note)
  assert.ok(spool.isKept)
  assert.equal(budget.usedBytes, content.length)
  assert.deepEqual([spool.bytes, spool.sha256], [content.length, sha256])
  assert.deepEqual(await contentOf(spool), content)
  assert.deepEqual(await readFile(path), content)
  assert.equal(await readFile(notesPath, 'utf8'), 'head\na block\na block\n')
  await spool.remove()
  assert.equal(budget.usedBytes, 0)
  for (const gone of [path, notesPath]) await assert.rejects(access(gone))
})

test('what does not fit is read from the file, as often as it is asked for, and holds no memory', async () => {
  await using opened = await openSpool(100)
  const { spool, budget } = opened
  for (const piece of pieces) await spool.append([piece], note)
  assert.ok(!spool.isKept)
  assert.equal(budget.usedBytes, 0)
  for (let read = 0; read < 2; read++) assert.deepEqual(await contentOf(spool), content)
  assert.equal(spool.sha256, sha256)
})

test('a spool file at rest gives its memory back, and takes more later', async () => {
  await using opened = await openSpool(content.length)
  const { spool, budget } = opened
  await spool.append(pieces.slice(0, 2), note)
  await spool.rest()
  assert.equal(budget.usedBytes, 0)
  await spool.append(pieces.slice(2), note)
  assert.equal(budget.usedBytes, 0, 'half of a file in memory is of no use')
  assert.deepEqual(await contentOf(spool), content)
  assert.equal(spool.sha256, sha256)
})

test('a spool file that was never written to has no file and no bytes', async () => {
  await using opened = await openSpool(100)
  const { spool, path } = opened
  assert.equal((await contentOf(spool)).length, 0)
  assert.equal(spool.sha256, createHash('sha256').digest('hex'))
  await spool.rest()
  assert.equal((await contentOf(spool)).length, 0)
  await assert.rejects(access(path))
  await spool.remove()
})

test('what the file holds is what is read, so that damage shows against the hash', async () => {
  await using opened = await openSpool(100)
  const { spool, path } = opened
  for (const piece of pieces) await spool.append([piece], note)
  await writeFile(path, content.subarray(1))
  const read = createHash('sha256')
    .update(await contentOf(spool))
    .digest('hex')
  assert.notEqual(read, spool.sha256)
})
