import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { testObjectStore } from '../contracts/object-store.ts'

testObjectStore('directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
  return {
    store: openDirectoryStore(join(folder, 'backup')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
})
