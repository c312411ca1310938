import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { storageOptions } from '../../src/storage/options.ts'
import { s3Route } from '../../src/storage/s3-route.ts'
import { Authority } from '../helpers/certificates.ts'
import { optionsOf } from '../helpers/options.ts'

test('a --s3-ca-cert without a whole certificate is refused, not passed over', async t => {
  const { certificate } = new Authority('an authority')
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  const options = optionsOf(storageOptions, '--storage=s3://bucket', `--s3-ca-cert=${file}`)
  const open = async (pem: string) => {
    await writeFile(file, pem)
    return s3Route({ kind: 's3', bucket: 'bucket', prefix: '' }, options).ca
  }
  assert.equal(await open(certificate), certificate)
  for (const pem of ['', 'not PEM', certificate.slice(0, 200), certificate + certificate.slice(0, 200)])
    await assert.rejects(
      () => open(pem),
      error => isMaxbrodError(error, 'USAGE') && /^--s3-ca-cert: .*certificate/.test(error.message),
    )
})
