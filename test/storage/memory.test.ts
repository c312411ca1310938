import { escapingFacts } from '../../src/storage/escaping-facts.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { testObjectStore } from '../contracts/object-store.ts'

testObjectStore('memory', async () => ({ store: newMemoryStore(), async [Symbol.asyncDispose]() {} }))

/** As S3Proxy does it for Azure: what was a hyphen comes back, and so does every underscore as one. */
function alteringUnderscores(store: ErasableStore): ErasableStore {
  const altered = (text: string) => text.replaceAll('_', '-')
  return {
    ...store,
    put: (key, body, facts, signal) =>
      store.put(
        key,
        body,
        Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, altered(value)])),
        signal,
      ),
  }
}

testObjectStore('memory that alters underscores, and facts that have none', async () => ({
  store: escapingFacts(alteringUnderscores(newMemoryStore())),
  async [Symbol.asyncDispose]() {},
}))
