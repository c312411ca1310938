import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { AgeDamage } from './age-damage.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'

/** The file key, wrapped for one recipient. */
export interface Stanza {
  readonly type: string
  readonly args: readonly string[]
  readonly body: Buffer
}

export interface AgeHeader {
  readonly stanzas: readonly Stanza[]
  /** All that the MAC speaks of. */
  readonly signed: Buffer
  readonly mac: Buffer
  /** With the line end behind it. */
  readonly bytes: number
}

/** So much of a file is looked at for its header: more recipients than anybody has. */
export const MAX_AGE_HEADER_BYTES = 64 * 1024

const MAGIC = 'age-encryption.org/v1\n'
const COLUMNS = 64
const MAC_BYTES = 32

/** The header of a file (C2SP age.md, "Header"). */
export function encodeAgeHeader(stanzas: readonly Stanza[], fileKey: Buffer): Buffer {
  const signed = Buffer.from(`${MAGIC}${stanzas.map(encodeStanza).join('')}---`)
  return Buffer.concat([signed, Buffer.from(` ${encodeBase64(macOf(signed, fileKey))}\n`)])
}

function encodeStanza({ type, args, body }: Stanza): string {
  const text = encodeBase64(body)
  const lines: string[] = []
  // The last line is a short one, if need be an empty one: so a reader knows that it is the last.
  for (let at = 0; at <= text.length; at += COLUMNS) lines.push(text.slice(at, at + COLUMNS))
  return `-> ${[type, ...args].join(' ')}\n${lines.join('\n')}\n`
}

/** The header that a file begins with; undefined when `start` ends inside of it. Throws AgeDamage. */
export function parseAgeHeader(start: Buffer): AgeHeader | undefined {
  // One character is one byte: nothing in a sound header is another than ASCII.
  const text = start.toString('latin1', 0, MAX_AGE_HEADER_BYTES)
  if (text.slice(0, MAGIC.length) !== MAGIC.slice(0, text.length)) throw new AgeDamage('it is no age file')
  const stanzas: Stanza[] = []
  let at = MAGIC.length
  const nextLine = () => {
    const end = text.indexOf('\n', at)
    if (end < 0) {
      if (start.length >= MAX_AGE_HEADER_BYTES) throw new AgeDamage('its age header has no end')
      return undefined
    }
    const line = text.slice(at, end)
    at = end + 1
    return line
  }
  for (;;) {
    const lineAt = at
    const line = nextLine()
    if (line === undefined) return undefined
    if (line.startsWith('---')) {
      const mac = /^--- (\S+)$/.exec(line)?.[1]
      if (mac === undefined || stanzas.length === 0) throw new AgeDamage('its age header has no sound end')
      const decoded = decodeBase64(mac)
      if (decoded.length !== MAC_BYTES) throw new AgeDamage('its age header has no sound end')
      return { stanzas, signed: start.subarray(0, lineAt + '---'.length), mac: decoded, bytes: at }
    }
    const [type, ...args] = argsOf(line)
    const body: string[] = []
    do {
      const part = nextLine()
      if (part === undefined) return undefined
      if (part.length > COLUMNS) throw new AgeDamage('its age header has a line that is too long')
      body.push(part)
    } while (body.at(-1)?.length === COLUMNS)
    stanzas.push({ type: type ?? '', args, body: decodeBase64(body.join('')) })
  }
}

function argsOf(line: string): string[] {
  if (!/^->(?: [\x21-\x7e]+)+$/.test(line)) throw new AgeDamage('its age header has a line that means nothing')
  return line.split(' ').slice(1)
}

/** Throws AgeDamage when the header is not the one that was written with this file key. */
export function checkMac({ signed, mac }: AgeHeader, fileKey: Buffer): void {
  if (!timingSafeEqual(mac, macOf(signed, fileKey))) throw new AgeDamage('its age header was altered')
}

function macOf(signed: Buffer, fileKey: Buffer): Buffer {
  const key = Buffer.from(hkdfSync('sha256', fileKey, Buffer.alloc(0), 'header', 32))
  return createHmac('sha256', key).update(signed).digest()
}
