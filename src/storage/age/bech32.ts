/** Keys of age are written in Bech32 (BIP 173), but for its limit of length. */
const CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const CHECKSUM_DIGITS = 6

/** The bytes of a text with this prefix (in lower case), or undefined when it is none, or a letter of it is wrong. */
export function decodeBech32(prefix: string, text: string): Buffer | undefined {
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) return undefined
  if (!lower.startsWith(`${prefix}1`)) return undefined
  const digits = lower
    .slice(prefix.length + 1)
    .split('')
    .map(letter => CHARACTERS.indexOf(letter))
  if (digits.length < CHECKSUM_DIGITS || digits.includes(-1)) return undefined
  if (checksum([...expanded(prefix), ...digits]) !== 1) return undefined
  return toBytes(digits.slice(0, -CHECKSUM_DIGITS))
}

function checksum(values: readonly number[]): number {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, term] of GENERATOR.entries()) if (((top >>> bit) & 1) === 1) sum ^= term
  }
  return sum >>> 0
}

function expanded(prefix: string): number[] {
  const codes = [...Buffer.from(prefix)]
  return [...codes.map(code => code >> 5), 0, ...codes.map(code => code & 31)]
}

/** Digits of five bits as bytes; what is left over must be less than a digit, and zero. */
function toBytes(digits: readonly number[]): Buffer | undefined {
  const bytes: number[] = []
  let bits = 0
  let count = 0
  for (const digit of digits) {
    bits = ((bits << 5) | digit) & 0xfff
    count += 5
    if (count < 8) continue
    count -= 8
    bytes.push((bits >> count) & 0xff)
  }
  const isPadded = count < 5 && (bits & ((1 << count) - 1)) === 0
  return isPadded ? Buffer.from(bytes) : undefined
}
