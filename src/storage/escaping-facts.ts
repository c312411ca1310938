import type { ErasableStore, Facts } from './port.ts'

/**
 * Facts without underscores, for a store that does not keep them. Azure has no hyphens in the names of metadata; S3Proxy can write
 * underscores instead, and turns all of them into hyphens again, those in topic ids and names among them.
 */
export function escapingFacts(store: ErasableStore): ErasableStore {
  return {
    ...store,
    put: (key, body, facts, signal) => store.put(key, body, mapped(facts, escaped), signal),
    async get(key, options) {
      const read = await store.get(key, options)
      return { ...read, facts: mapped(read.facts, unescaped) }
    },
    async head(key, signal) {
      const head = await store.head(key, signal)
      return head === undefined ? undefined : { ...head, facts: mapped(head.facts, unescaped) }
    },
  }
}

function mapped(facts: Facts, map: (value: string) => string): Facts {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, map(value)]))
}

function escaped(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('_', '%5F')
}

function unescaped(value: string): string {
  return value.replaceAll('%5F', '_').replaceAll('%25', '%')
}
