import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Unreadable } from '../../src/config/unreadable.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { decodeBech32 } from '../../src/storage/age/bech32.ts'
import { looksLikeRecipient, parseIdentities, parseRecipient, parseRecipients } from '../../src/storage/age/keys.ts'
import { openingOptions, resealingOptions, sealingOptions } from '../../src/storage/encryption-options.ts'
import { encodeBech32, newAgeKey } from '../helpers/age-keys.ts'

const key = newAgeKey()
const refused = (error: unknown) => error instanceof MaxbrodError && error.code === 'USAGE'

test('keys are read as age-keygen writes them, comments and empty lines left out', () => {
  const file = `# created: 2026-11-21\r\n# public key: ${key.recipientText}\r\n${key.identityText}\r\n\r\n${newAgeKey().identityText}\n`
  const { identities, secrets } = parseIdentities(file, 'keys.txt')
  assert.equal(identities.length, 2)
  assert.deepEqual(identities[0]!.publicRaw, key.recipient.raw)
  assert.equal(secrets[0], key.identityText)
  const recipients = parseRecipients(`# ours\n${key.recipientText}\n\n${newAgeKey().recipientText}`, 'recipients.txt')
  assert.deepEqual([recipients.length, recipients[0]!.raw], [2, key.recipient.raw])
})

test('every mistyped letter of a key is noticed', () => {
  for (let at = 0; at < key.recipientText.length; at++) {
    const letter = key.recipientText[at] === 'q' ? 'p' : 'q'
    const typo = key.recipientText.slice(0, at) + letter + key.recipientText.slice(at + 1)
    assert.throws(() => parseRecipient(typo), refused, typo)
  }
  for (const text of ['', 'age1', 'ssh-ed25519 AAAA', key.recipientText.slice(0, -1), `${key.recipientText}q`])
    assert.throws(() => parseRecipient(text), refused, text)
  assert.throws(() => parseRecipient(encodeBech32('age', Buffer.alloc(31))), refused)
  assert.throws(() => parseRecipient(encodeBech32('age1pq', Buffer.alloc(32))), refused)
})

test('upper and lower case are the same, and never mixed (BIP 173)', () => {
  assert.deepEqual(decodeBech32('age', key.recipientText.toUpperCase()), key.recipient.raw)
  assert.equal(decodeBech32('age', `A${key.recipientText.slice(1)}`), undefined)
  // The specification's own examples.
  assert.ok(decodeBech32('a', 'A12UEL5L'))
  assert.ok(decodeBech32('abcdef', 'abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw'))
  assert.equal(decodeBech32('a', 'A1G7SGD8'), undefined)
})

test('what is wrong with a file of keys is told, and none of its text', () => {
  const secret = key.identityText.slice(0, -1)
  const otherLetter = key.identityText.endsWith('Q') ? 'P' : 'Q'
  const wrong = [
    () => parseIdentities(`# a comment\n${secret}${otherLetter}`, 'keys.txt'),
    () => parseIdentities(key.recipientText, 'keys.txt'),
    () => parseIdentities('# nothing\n', 'keys.txt'),
    () => parseIdentities('-----BEGIN AGE ENCRYPTED FILE-----\nYWdl', 'keys.txt'),
    () => parseRecipients(key.identityText, 'keys.txt'),
    () => parseRecipients('\n', 'keys.txt'),
    // The file is another one.
    () => parseRecipients(`${key.recipientText}\n${secret.slice(-30)}`, 'keys.txt'),
    () => parseRecipients(`AGE-PLUGIN-YUBIKEY-1${secret.slice(-30)}`, 'keys.txt'),
  ]
  for (const parse of wrong) {
    assert.throws(parse, (error: unknown) => {
      assert.ok(error instanceof MaxbrodError && error.code === 'USAGE')
      const said = `${error.message} ${error.hint} ${JSON.stringify(error.facts)}`
      assert.ok(
        said.includes('keys.txt') && !said.includes(secret.slice(0, 30)) && !said.includes(secret.slice(-30)),
        said,
      )
      return true
    })
  }
})

test('a secret key where a path belongs is refused by every option that takes one, and not repeated', () => {
  const options = [
    sealingOptions.options.encryptTo,
    openingOptions.options.identity,
    resealingOptions.options.identity,
    resealingOptions.options.encryptTo,
  ]
  for (const { kind } of options) {
    for (const text of [key.identityText, key.identityText.toLowerCase(), `keys.txt,${key.identityText}`])
      assert.throws(
        () => kind.read([text]),
        (error: unknown) => error instanceof Unreadable && !error.message.includes(key.identityText.slice(-20)),
      )
    const paths = ['age-secret-key-1.txt', './AGE-SECRET-KEY-prod', key.recipientText]
    assert.deepEqual(kind.read(paths), paths)
  }
})

test('a recipient is told from the name of a file', () => {
  assert.ok(looksLikeRecipient(key.recipientText))
  for (const path of ['recipients.txt', './age1', '/etc/age1.txt', 'age1-recipients'])
    assert.ok(!looksLikeRecipient(path), path)
})
