import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProperties } from '../../src/kafka/properties.ts'

// What java.util.Properties makes of the same text: its documentation gives the rules.
const cases: readonly [what: string, text: string, expected: Readonly<Record<string, string>>][] = [
  ['names and values are parted by =, by : or by white space', 'a=1\nb:2\nc 3\nd = 4\ne : 5\nf\t6', six()],
  ['a value may hold what parts', 'a==b\nc=x=y:z\nd:=v', { a: '=b', c: 'x=y:z', d: '=v' }],
  ['white space in front goes, at the end it stays', '  a =  1  \n\tb=\t2\t', { a: '1  ', b: '2\t' }],
  ['comments and empty lines say nothing', '# a=1\n!b=2\n\n   \n  # c=3\nd=4', { d: '4' }],
  ['a name alone has an empty value', 'a\nb=\nc:', { a: '', b: '', c: '' }],
  ['a backslash continues a line, without the white space there', 'a=1,\\\n    2,\\\n\t3\nb=4', { a: '1,2,3', b: '4' }],
  ['two backslashes at the end are one, and no continuation', 'a=C:\\\\\nb=2', { a: 'C:\\', b: '2' }],
  ['three are one and a continuation', 'a=x\\\\\\\n  y', { a: 'x\\y' }],
  ['a comment is never continued', '# see below \\\na=1', { a: '1' }],
  ['escapes', 'a=\\t\\n\\r\\f\\\\\\"\\q\nb=\\u00e9\\u20AC', { a: '\t\n\r\f\\"q', b: 'é€' }],
  ['escaped partings belong to the name', 'a\\=b\\:c\\ d=1', { 'a=b:c d': '1' }],
  ['every line end will do', 'a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
  ['of two the last one holds', 'a=1\na=2', { a: '2' }],
  ['a backslash at the very end is dropped', 'a=1\\', { a: '1' }],
  ['letters of all alphabets', 'motto=Größe über alles', { motto: 'Größe über alles' }],
]

for (const [what, text, expected] of cases) {
  test(what, () => assert.deepEqual(Object.fromEntries(parseProperties(text)), expected))
}

function six(): Record<string, string> {
  return { a: '1', b: '2', c: '3', d: '4', e: '5', f: '6' }
}
