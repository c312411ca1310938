/** HTML that was made by `markup` alone: no text of others is in it as it came. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = string | number | Html | undefined | readonly Part[]

/** A template whose values are escaped unless they are HTML already; undefined is nothing. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? ''
  for (const [n, part] of parts.entries()) text += textOf(part) + (strings[n + 1] ?? '')
  return new Html(text)
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text
  if (part === undefined) return ''
  return typeof part === 'object' ? part.map(textOf).join('') : escaped(String(part))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** What turns the direction of text around, or is not seen, would make a name look like another one. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Nearly all there is, and needs no second look. */
const PLAIN = /^[\w .,:;/@+?()-]*$/

function escaped(text: string): string {
  if (PLAIN.test(text)) return text
  return text
    .replaceAll(/[&<>"']/g, sign => ENTITIES[sign] ?? sign)
    .replaceAll(UNSEEN, sign => (sign === '\n' || sign === '\t' ? sign : `\\u{${sign.codePointAt(0)?.toString(16)}}`))
}

/** The bytes that it takes. */
export function sizeOf({ text }: Html): number {
  return Buffer.byteLength(text)
}
