import { newMemoryStore } from '../../src/storage/memory.ts'
import { testObjectStore } from '../contracts/object-store.ts'

testObjectStore('memory', async () => ({ store: newMemoryStore(), async [Symbol.asyncDispose]() {} }))
