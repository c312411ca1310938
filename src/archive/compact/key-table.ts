import { createHash } from 'node:crypto'

/** Longer keys are represented by their SHA-256: a table of few long ones would not be bounded otherwise. */
export const KEY_BYTES_MAX = 64
/** In place of the length of such a key. */
const DIGEST = 255
const DIGEST_BYTES = 32
/** Hash, start, length, offset, and two slots: what an entry takes beside its key. */
const ENTRY_BYTES = 4 + 4 + 1 + 8 + 2 * 4
/** Keys are this long on average, or the table is full before its bytes are. */
const TYPICAL_KEY_BYTES = 24
/** Hash and number of an entry must fit into one number, to be sorted without comparing. */
const MAX_ENTRIES = 2 ** 21

/** A key of the table with its latest offset. The bytes are a view. */
export interface TableEntry {
  readonly hash: number
  /** Length, or the mark of a digest: with the bytes it tells keys apart. */
  readonly form: number
  readonly bytes: Buffer
  readonly offset: number
}

/**
 * The latest offset of each key, for as many keys as a number of bytes has room for. Nothing is allocated per key: keys are
 * compared as bytes in one buffer, found by open addressing.
 */
export class KeyTable {
  readonly #maxEntries: number
  readonly #slots: Int32Array
  readonly #hashes: Int32Array
  readonly #starts: Uint32Array
  readonly #forms: Uint8Array
  readonly #offsets: Float64Array
  readonly #keys: Buffer
  #keysUsed = 0
  #entries = 0

  constructor(bytes: number) {
    this.#maxEntries = Math.max(16, Math.min(MAX_ENTRIES, Math.floor(bytes / (ENTRY_BYTES + TYPICAL_KEY_BYTES))))
    let slots = 32
    while (slots < this.#maxEntries * 1.5) slots *= 2
    this.#slots = new Int32Array(slots)
    this.#hashes = new Int32Array(this.#maxEntries)
    this.#starts = new Uint32Array(this.#maxEntries)
    this.#forms = new Uint8Array(this.#maxEntries)
    this.#offsets = new Float64Array(this.#maxEntries)
    this.#keys = Buffer.allocUnsafeSlow(Math.max(KEY_BYTES_MAX * 2, this.#maxEntries * TYPICAL_KEY_BYTES))
  }

  get size(): number {
    return this.#entries
  }

  /** Takes the key `bytes[start, end)` as that of the record at `offset`, which is later than all before. False when there is no room. */
  put(bytes: Buffer, start: number, end: number, offset: number): boolean {
    if (end - start <= KEY_BYTES_MAX) return this.#put(bytes, start, end, end - start, offset)
    const digest = createHash('sha256').update(bytes.subarray(start, end)).digest()
    return this.#put(digest, 0, DIGEST_BYTES, DIGEST, offset)
  }

  #put(bytes: Buffer, start: number, end: number, form: number, offset: number): boolean {
    const hash = hashOf(bytes, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const entry = (this.#slots[slot] as number) - 1
      if (entry < 0) break
      if (this.#hashes[entry] === hash && this.#forms[entry] === form && this.#isKey(entry, bytes, start, end)) {
        this.#offsets[entry] = offset
        return true
      }
      slot = (slot + 1) & mask
    }
    if (this.#entries === this.#maxEntries || this.#keysUsed + (end - start) > this.#keys.length) return false
    const entry = this.#entries++
    this.#slots[slot] = entry + 1
    this.#hashes[entry] = hash
    this.#forms[entry] = form
    this.#offsets[entry] = offset
    this.#starts[entry] = this.#keysUsed
    let to = this.#keysUsed
    for (let at = start; at < end; at++) this.#keys[to++] = bytes[at] as number
    this.#keysUsed = to
    return true
  }

  #isKey(entry: number, bytes: Buffer, start: number, end: number): boolean {
    let own = this.#starts[entry] as number
    for (let at = start; at < end; at++) if (this.#keys[own++] !== bytes[at]) return false
    return true
  }

  /** The offsets of all keys, in no order. */
  offsets(): Float64Array {
    return this.#offsets.subarray(0, this.#entries)
  }

  /** The entries in the order of `compareEntries`. */
  *sorted(): Generator<TableEntry> {
    const order = new Float64Array(this.#entries)
    for (let n = 0; n < order.length; n++) order[n] = ((this.#hashes[n] as number) >>> 0) * MAX_ENTRIES + n
    order.sort()
    let same: TableEntry[] = []
    for (const one of order) {
      const entry = this.#entry(one % MAX_ENTRIES)
      if (same[0] !== undefined && same[0].hash !== entry.hash) {
        yield* same.length === 1 ? same : same.toSorted(compareEntries)
        same = []
      }
      same.push(entry)
    }
    yield* same.toSorted(compareEntries)
  }

  #entry(n: number): TableEntry {
    const form = this.#forms[n] as number
    const start = this.#starts[n] as number
    const bytes = this.#keys.subarray(start, start + lengthOf(form))
    return { hash: (this.#hashes[n] as number) >>> 0, form, bytes, offset: this.#offsets[n] as number }
  }

  clear(): void {
    this.#slots.fill(0)
    this.#entries = 0
    this.#keysUsed = 0
  }
}

/** How many bytes stand for a key of that form. */
export function lengthOf(form: number): number {
  return form === DIGEST ? DIGEST_BYTES : form
}

/** Zero for the same key. */
export function compareEntries(a: Omit<TableEntry, 'offset'>, b: Omit<TableEntry, 'offset'>): number {
  return a.hash - b.hash || a.form - b.form || Buffer.compare(a.bytes, b.bytes)
}

/** MurmurHash3's mixing, 32 bits: good enough to spread keys, which are compared by their bytes. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = end - start
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = mix(hash, word)
  }
  let rest = 0
  for (; at < end; at++) rest = (rest << 8) | (bytes[at] as number)
  hash = mix(hash, rest)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}

function mix(hash: number, word: number): number {
  const spread = Math.imul(word, 0xcc9e_2d51)
  hash ^= Math.imul((spread << 15) | (spread >>> 17), 0x1b87_3593)
  return (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64) | 0
}
