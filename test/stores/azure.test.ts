import { after, before, describe } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import { testObjectStore } from '../contracts/object-store.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { openAzure } from './azurite.ts'
import { without } from './tools.ts'

describe('Azure through S3Proxy', { skip: without('azurite') }, () => {
  let azure: Awaited<ReturnType<typeof openAzure>>
  before(async () => void (azure = await openAzure()))
  after(() => azure[Symbol.asyncDispose]())

  testObjectStore(
    'Azure behind S3Proxy',
    async () => {
      const bucket = await openBucket(azure.s3.endpoint, azure.s3.credentials)
      const store = openS3Store({ ...bucket.options, pageKeys: 20 })
      return {
        store,
        async [Symbol.asyncDispose]() {
          store.close()
          await bucket[Symbol.asyncDispose]()
        },
      }
    },
    { pageKeys: 20, sortsAllOfUnicode: false },
  )
})
