import { assert } from '../runtime/assert.ts'
import type { Facts } from './port.ts'

/** S3 takes 2 KiB of user metadata, names and values together. */
const FACTS_BYTES_MAX = 2048

/** Stops on facts that S3 would alter or refuse. They are made by our own code, so this is a bug, not a fault of input. */
export function checkFacts(facts: Facts): void {
  let bytes = 0
  for (const [name, value] of Object.entries(facts)) {
    assert(/^[a-z0-9-]+$/.test(name), `fact name ${JSON.stringify(name)}`)
    // An empty value is dropped by some servers, a space at either end by HTTP.
    assert(/^[!-~](?:[ -~]*[!-~])?$/.test(value), `fact ${name}=${JSON.stringify(value)}`)
    bytes += name.length + value.length
  }
  assert(bytes <= FACTS_BYTES_MAX, `facts of ${bytes} bytes`)
}
