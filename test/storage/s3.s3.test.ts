import { openS3Store } from '../../src/storage/s3.ts'
import { testObjectStore } from '../contracts/object-store.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { openBucket, skipWithForeignS3 } from '../helpers/shared-s3.ts'

const sortsAllOfUnicode = skipWithForeignS3 !== false

testObjectStore(
  's3, a whole bucket',
  async () => {
    const bucket = await openBucket()
    const store = openS3Store({ ...bucket.options, pageKeys: 20 })
    return {
      store,
      async [Symbol.asyncDispose]() {
        store.close()
        await bucket[Symbol.asyncDispose]()
      },
    }
  },
  { pageKeys: 20, sortsAllOfUnicode },
)

let stores = 0

testObjectStore(
  's3, below a prefix',
  async () => {
    const bucket = await openBucket()
    const root = openS3Store(bucket.options)
    const prefix = `backups/of prod+${(stores += 1)}`
    // What lies beside the prefix, and begins like it, is not in it.
    for (const key of ['backups/of prod', `${prefix}0/t/x`, `${prefix}.x`]) await root.put(key, bodyOf('x'), {})
    const store = openS3Store({ ...bucket.options, prefix, pageKeys: 20 })
    return {
      store,
      async [Symbol.asyncDispose]() {
        store.close()
        root.close()
        await bucket[Symbol.asyncDispose]()
      },
    }
  },
  { pageKeys: 20, sortsAllOfUnicode },
)
