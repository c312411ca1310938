import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { makeFolders } from '../../src/runtime/make-folders.ts'

test('a folder is made with all that is missing above it, by several at once, and a second time without harm', async () => {
  const root = await mkdtemp(join(tmpdir(), 'maxbrod-folders-'))
  try {
    const path = join(root, 'a/b/c/d')
    await Promise.all(Array.from({ length: 8 }, () => nodeDisk.makeFolder(path)))
    await nodeDisk.makeFolder(path)
    assert.ok((await stat(path)).isDirectory())
    await writeFile(join(root, 'file'), '')
    for (const wrong of ['file', 'file/below', 'file/below/it'])
      await assert.rejects(nodeDisk.makeFolder(join(root, wrong)), { code: 'DISK', message: /EEXIST|ENOTDIR/ })
  } finally {
    await rm(root, { recursive: true })
  }
})

test('a file system that takes no folders is told by its own words, and soon', async () => {
  const failing = (codes: Readonly<Record<string, string>>, existing: readonly string[]) => {
    const asked: string[] = []
    const make = (path: string) => {
      asked.push(path)
      const code = codes[path]
      return code === undefined ? Promise.resolve() : Promise.reject(Object.assign(new Error(code), { code }))
    }
    const isFolder = (path: string) => Promise.resolve(existing.includes(path))
    const above = (path: string) => path.slice(0, path.lastIndexOf('/'))
    return { asked, making: makeFolders('/ro/a/b', { make, isFolder, above }) }
  }
  const readOnly = failing({ '/ro/a/b': 'ENOENT', '/ro/a': 'EROFS' }, ['/ro'])
  await assert.rejects(readOnly.making, { code: 'EROFS' })
  const like = failing({ '/ro/a/b': 'ENOENT', '/ro/a': 'ENOENT', '/ro': 'EEXIST' }, ['/ro'])
  await assert.rejects(like.making, { code: 'ENOENT' })
  assert.deepEqual(like.asked, ['/ro/a/b', '/ro/a', '/ro', '/ro/a'])
  if (process.platform === 'linux')
    await assert.rejects(nodeDisk.makeFolder('/proc/maxbrod/spool'), { code: 'DISK', message: /ENOENT/ })
  const mounted = failing({ '/ro/a/b': 'EPERM' }, ['/ro/a/b'])
  assert.equal(await mounted.making, undefined)
})
