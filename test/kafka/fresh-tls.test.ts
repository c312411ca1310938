import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TlsOptions } from '../../src/kafka/client-properties.ts'
import { freshTls } from '../../src/kafka/fresh-tls.ts'
import { Authority } from '../helpers/certificates.ts'

const authority = new Authority('an authority')
const [first, second] = [authority.certify('first'), authority.certify('second')]
const of = (certificate: string, key: string): TlsOptions => ({
  ca: authority.certificate,
  cert: certificate,
  key,
  minVersion: 'TLSv1.2',
})
const nonsense = '-----BEGIN CERTIFICATE-----\nMIIBabcd\n-----END CERTIFICATE-----\n'
const old = of(first.certificate, first.key)

test('certificates that are half written, gone or nonsense leave the old ones in use, told once; whole ones are taken', () => {
  let files: () => TlsOptions | null = () => ({ ...old })
  const told: string[] = []
  const tls = freshTls(old, {
    read: () => files(),
    onChanged: () => told.push('changed'),
    onUnusable: () => told.push('unusable'),
  })
  assert.equal(tls(), old)
  for (const unusable of [
    () => of(second.certificate, first.key),
    () => of(second.certificate.slice(0, 200), second.key),
    () => assert.fail('there is no such file'),
    () => ({ ...of(second.certificate, second.key), ca: '' }),
    () => ({ ...of(second.certificate, second.key), ca: authority.certificate.slice(0, 200) }),
    () => ({ ...of(second.certificate, second.key), ca: authority.certificate + authority.certificate.slice(0, 200) }),
    () => ({ ...of(second.certificate, second.key), ca: nonsense }),
    () => of('', ''),
  ]) {
    files = unusable
    assert.equal(tls(), old)
    assert.equal(tls(), old)
  }
  assert.deepEqual(told, ['unusable'])
  files = () => null
  assert.equal(tls(), old, 'who asked for TLS gets no plain text')
  const whole = of(second.certificate, second.key)
  files = () => whole
  assert.equal(tls(), whole)
  assert.equal(tls(), whole)
  assert.deepEqual(told, ['unusable', 'changed'])
  files = () => of(first.certificate, second.key)
  assert.equal(tls(), whole)
  assert.deepEqual(told, ['unusable', 'changed', 'unusable'])
})
