import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openWorkingDir } from '../../src/backup/spool/working-dir.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { systemRandom } from '../../src/runtime/random.ts'

async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-dir-'))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const open = (folder: string, name?: string) => openWorkingDir(nodeDisk, folder, systemRandom, name)

test('a working directory is made with its parents, and locked until it is closed', async () => {
  await using owned = await newFolder()
  const folder = join(owned.folder, 'a/b')
  const dir = await open(folder)
  await assert.rejects(open(folder), { code: 'WORKER_LOCKED', hint: /--working-dir/ })
  dir[Symbol.dispose]()
  const again = await open(folder)
  again[Symbol.dispose]()
})

test('a worker keeps its random name, and gets another one when it was lost or damaged', async () => {
  await using owned = await newFolder()
  const nameOf = async (wanted?: string) => {
    using dir = await open(owned.folder, wanted)
    return dir.workerName
  }
  const first = await nameOf()
  assert.match(first, /^maxbrod-[0-9a-f]{12}$/)
  assert.equal(await nameOf(), first)
  assert.equal(await nameOf('pod-3'), 'pod-3')
  assert.equal(await nameOf(), first, 'a name that was given is not kept')
  for (const damage of ['', '\0', 'a b', 'x'.repeat(101)]) {
    await writeFile(join(owned.folder, 'worker-name'), damage)
    const name = await nameOf()
    assert.match(name, /^maxbrod-[0-9a-f]{12}$/)
    assert.notEqual(name, first)
    assert.equal(await nameOf(), name)
  }
  const names = new Set([first, await nameOf(), (await readFile(join(owned.folder, 'worker-name'), 'utf8')).trim()])
  assert.equal(names.size, 2)
})

test('a directory that cannot be opened to its end is not left locked', async () => {
  await using owned = await newFolder()
  const failing = { ...nodeDisk, read: () => Promise.reject(new Error('EIO')) }
  await assert.rejects(openWorkingDir(failing, owned.folder, systemRandom, undefined), { message: 'EIO' })
  const dir = await open(owned.folder)
  dir[Symbol.dispose]()
})
