import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anchoredRegex, looseRegex, regexDoubt } from '../../src/config/regex.ts'

test('an expression matches whole names only', () => {
  const regex = anchoredRegex('orders|payments')
  assert.deepEqual(
    ['orders', 'payments', 'reorders', 'orders2', 'payment'].filter(name => regex.test(name)),
    ['orders', 'payments'],
  )
})

test('a loose expression matches parts of names', () => {
  assert.ok(looseRegex('orders').test('reorders'))
})

test('a lone star is refused with a hint', () => {
  assert.throws(() => anchoredRegex('*'), { hint: "everything is '.*'" })
})

for (const [text, hint] of [
  ['*.orders', 'this looks like a glob: any text is .*'],
  ['orders(', 'the dialect is that of JavaScript'],
  ['a)|(b', 'the dialect is that of JavaScript'],
  ['\\Qa.b\\E', 'the dialect is that of JavaScript'],
] as const) {
  test(`${text} is refused`, () => {
    assert.throws(() => anchoredRegex(text), { name: 'Unreadable', message: /is not a regular expression \(\S/, hint })
  })
}

for (const [text, doubt] of [
  ['orders-*', "'orders-*' means 'orders' and then any number of '-'; if * stands for any text, write 'orders-.*'"],
  ['a*', "'a*' means any number of 'a'; if * stands for any text, write 'a.*'"],
  ['orders,payments', "'orders,payments' asks for a comma in the name; give several as several"],
] as const) {
  test(`${text} is doubted`, () => assert.equal(regexDoubt(text), doubt))
}

for (const text of [
  '.*',
  'orders',
  'orders\\..*',
  '[a-z]*',
  '(ab)*',
  '\\w*',
  'a{1,3}',
  '[,;]',
  'x(-y)*',
  'a{2}*'.slice(0, 4),
]) {
  test(`${text} is not doubted`, () => assert.equal(regexDoubt(text), undefined))
}

test('any text is .*, also the name of a group that has lines', () => {
  for (const name of ['', 'a\nb', '\n', 'a\r\n', '\u2028'])
    assert.ok(anchoredRegex('.*').test(name), JSON.stringify(name))
  assert.ok(!anchoredRegex('a').test('a\n'))
})
