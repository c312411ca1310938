/**
 * Reads the format of java.util.Properties: comments, continued lines, `=`, `:` or white space behind the name, backslash
 * escapes. As Java does, white space at the end of a value stays: passwords may end in it.
 */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const [, name = '', value = ''] =
      /^((?:[^ \t\f=:\\]|\\.)*)(?:[ \t\f]*[=:][ \t\f]*|[ \t\f]+|$)(.*)$/su.exec(line) ?? []
    properties.set(unescape(name), unescape(value))
  }
  return properties
}

/** Lines that say something, joined where an odd number of backslashes ends one. A comment is never continued. */
function* logicalLines(text: string): Generator<string> {
  let begun = ''
  for (const line of text.split(/\r\n|\n|\r/u)) {
    const trimmed = line.replace(/^[ \t\f]+/u, '')
    if (begun === '' && /^(?:[#!]|$)/u.test(trimmed)) continue
    if (/(?<!\\)(?:\\\\)*\\$/u.test(trimmed)) begun += trimmed.slice(0, -1)
    else {
      yield begun + trimmed
      begun = ''
    }
  }
  if (begun !== '') yield begun
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' }

function unescape(text: string): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, code: string) => {
    return code.length > 1 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code)
  })
}
