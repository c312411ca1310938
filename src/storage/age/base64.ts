import { AgeDamage } from './age-damage.ts'

/** Base64 without padding, as age writes all that is binary in a header. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

/** Throws AgeDamage for a text that `encodeBase64` would have written in another way: one header, one text. */
export function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (encodeBase64(bytes) !== text) throw new AgeDamage('its age header holds what is no canonical Base64')
  return bytes
}
