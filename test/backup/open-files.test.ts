import assert from 'node:assert/strict'
import { mkdtemp, readFile, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { OpenFiles } from '../../src/backup/spool/open-files.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'

async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-open-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** What the system says this process holds open below a folder. */
async function openBelow(folder: string): Promise<string[]> {
  const names = await readdir('/proc/self/fd')
  const targets = await Promise.all(names.map(name => readlink(`/proc/self/fd/${name}`).catch(() => '')))
  return targets.filter(path => path.startsWith(folder)).toSorted()
}

test('many files are appended to, and only so many are open at a time: those that were used last', async () => {
  await using owned = await newFolder()
  const { folder } = owned
  const files = new OpenFiles(nodeDisk, 3)
  const path = (n: number) => join(folder, String(n))
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 20; n++) {
      await files.append(path(n), [Buffer.from(`${n}.`), Buffer.from(`${round} `)])
      assert.ok((await openBelow(folder)).length <= 3)
    }
  }
  assert.deepEqual(await openBelow(folder), [17, 18, 19].map(path))
  for (let n = 0; n < 20; n++) assert.equal(await readFile(path(n), 'utf8'), `${n}.0 ${n}.1 ${n}.2 `)
  for (let n = 0; n < 20; n++) await files.close(path(n))
  assert.deepEqual(await openBelow(folder), [])
})

test('files that are appended to at the same time are open at the same time, and the surplus is closed with the next one', async () => {
  await using owned = await newFolder()
  const { folder } = owned
  const files = new OpenFiles(nodeDisk, 2)
  const path = (n: number) => join(folder, String(n))
  await Promise.all(Array.from({ length: 10 }, (_, n) => files.append(path(n), [Buffer.from('x')])))
  await files.append(path(0), [Buffer.from('y')])
  assert.ok((await openBelow(folder)).length <= 2)
  for (let n = 0; n < 10; n++) await files.close(path(n))
  assert.equal(await readFile(path(0), 'utf8'), 'xy')
})

test('a file that cannot be opened is tried again with the next append', async () => {
  await using owned = await newFolder()
  let isBroken = true
  const disk = {
    ...nodeDisk,
    openAppend: (path: string) =>
      isBroken ? Promise.reject(new MaxbrodError('DISK', 'EMFILE')) : nodeDisk.openAppend(path),
  }
  const files = new OpenFiles(disk, 2)
  const path = join(owned.folder, 'x')
  await assert.rejects(files.append(path, [Buffer.from('lost')]), { code: 'DISK' })
  isBroken = false
  await files.append(path, [Buffer.from('kept')])
  await files.close(path)
  assert.equal(await readFile(path, 'utf8'), 'kept')
})
