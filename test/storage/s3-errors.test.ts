import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import type { S3Options } from '../../src/storage/s3-client.ts'
import { s3Error } from '../../src/storage/s3-errors.ts'
import { openS3Store } from '../../src/storage/s3.ts'
import { all, bodyOf } from '../helpers/object-bodies.ts'
import type { Fault } from '../helpers/s3-faults.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'

const secrets = { secretAccessKey: 'SECRET-KEY-CANARY', sessionToken: 'SESSION-TOKEN-CANARY' }
const credentials = { accessKeyId: 'AKIDEXAMPLE', ...secrets }

function storeAt(endpoint: string, options: Partial<S3Options> = {}): ErasableStore {
  return openS3Store({ bucket: 'shop', prefix: 'prod', endpoint, region: 'eu-central-1', credentials, ...options })
}

const verbs = {
  put: (store: ErasableStore) => store.put('a/b', bodyOf('x'), {}),
  get: (store: ErasableStore) => store.get('a/b'),
  head: (store: ErasableStore) => store.head('a/b'),
  list: (store: ErasableStore) => all(store.list('')),
  delete: (store: ErasableStore) => store.delete('a/b'),
}

/** The MaxbrodError of a verb, which shows none of the secrets. */
async function errorOf(work: Promise<unknown>): Promise<MaxbrodError> {
  const error = await work.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof MaxbrodError, inspect(error))
  const shown = inspect(error, { depth: Infinity, showHidden: true }) + JSON.stringify(error)
  for (const secret of [...Object.values(secrets), 'Signature=']) assert.ok(!shown.includes(secret), shown)
  return error
}

/** An answer that repeats what it was sent, as S3 does when the signature is wrong. */
const tellingTales: Fault = {
  kind: 'answer',
  status: 403,
  body: `<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match</Message>
    <StringToSign>AWS4-HMAC-SHA256</StringToSign><CanonicalRequest>x-amz-security-token:${secrets.sessionToken}</CanonicalRequest></Error>`,
  headers: { 'content-type': 'application/xml' },
}

const html: Fault = {
  kind: 'answer',
  status: 200,
  body: '<html><body>It works!<br></body></html>',
  headers: { 'content-type': 'text/html' },
}

const cases: [keyof typeof verbs, Fault, code: string, hint: RegExp][] = [
  ['put', s3ErrorAnswer(403, 'AccessDenied'), 'STORAGE_AUTH', /s3:PutObject/],
  ['put', s3ErrorAnswer(400, 'KMS.NotFoundException'), 'STORAGE_REFUSED', /--sse-kms-key-id/],
  ['get', s3ErrorAnswer(403, 'AccessDenied'), 'STORAGE_AUTH', /s3:GetObject and s3:ListBucket/],
  ['head', { kind: 'answer', status: 403 }, 'STORAGE_AUTH', /s3:GetObject and s3:ListBucket/],
  ['list', s3ErrorAnswer(403, 'AccessDenied'), 'STORAGE_AUTH', /s3:ListBucket/],
  ['delete', s3ErrorAnswer(403, 'AccessDenied'), 'STORAGE_AUTH', /s3:DeleteObject/],
  ['put', s3ErrorAnswer(403, 'InvalidAccessKeyId'), 'STORAGE_AUTH', /AWS_ACCESS_KEY_ID/],
  ['put', tellingTales, 'STORAGE_AUTH', /secret access key/],
  ['put', s3ErrorAnswer(404, 'NoSuchBucket'), 'BACKUP_NOT_FOUND', /--storage/],
  ['get', s3ErrorAnswer(404, 'NoSuchBucket'), 'BACKUP_NOT_FOUND', /--storage/],
  ['list', s3ErrorAnswer(404, 'NoSuchBucket'), 'BACKUP_NOT_FOUND', /--storage/],
  ['get', s3ErrorAnswer(404, 'NoSuchKey'), 'OBJECT_MISSING', /^undefined$/],
  [
    'list',
    s3ErrorAnswer(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-1' }),
    'STORAGE_REFUSED',
    /--s3-region eu-west-1/,
  ],
  [
    'head',
    { kind: 'answer', status: 301, headers: { 'x-amz-bucket-region': 'eu-west-1' } },
    'STORAGE_REFUSED',
    /--s3-region eu-west-1/,
  ],
  ['get', s3ErrorAnswer(403, 'InvalidObjectState'), 'STORAGE_REFUSED', /Glacier/],
  ['get', { kind: 'answer', status: 404 }, 'OBJECT_MISSING', /^undefined$/],
  ['put', s3ErrorAnswer(501, 'NotImplemented'), 'STORAGE_UNCONDITIONAL', /--allow-unconditional-put/],
  ['put', s3ErrorAnswer(503, 'SlowDown'), 'STORAGE_UNREACHABLE', /fewer requests/],
  ['put', s3ErrorAnswer(409, 'ConditionalRequestConflict'), 'STORAGE_UNREACHABLE', /./],
  ['put', s3ErrorAnswer(400, 'XAmzContentSHA256Mismatch'), 'STORAGE_UNREACHABLE', /./],
  ['list', s3ErrorAnswer(400, 'ExpiredToken'), 'STORAGE_UNREACHABLE', /session token/],
  ['list', s3ErrorAnswer(403, 'RequestTimeTooSkewed'), 'STORAGE_UNREACHABLE', /clock/],
  [
    'list',
    { kind: 'answer', status: 502, body: '<html>Bad Gateway', headers: { 'content-type': 'text/html' } },
    'STORAGE_UNREACHABLE',
    /./,
  ],
  ['get', { kind: 'answer', status: 500 }, 'STORAGE_UNREACHABLE', /./],
  ['list', html, 'STORAGE_REFUSED', /--s3-endpoint/],
  ['put', html, 'STORAGE_REFUSED', /--s3-endpoint/],
  ['head', html, 'STORAGE_REFUSED', /--s3-endpoint/],
  ['put', s3ErrorAnswer(400, 'InvalidArgument'), 'STORAGE_REFUSED', /^undefined$/],
  ['put', { kind: 'lost answer' }, 'STORAGE_UNREACHABLE', /--s3-endpoint/],
]

for (const [verb, fault, code, hint] of cases) {
  const what =
    fault.kind === 'answer' ? `${fault.status} ${/<Code>(.*?)</.exec(fault.body ?? '')?.[1] ?? ''}` : fault.kind
  test(`${verb}, answered with ${what}, is ${code}`, async () => {
    await using faults = await S3Faults.start()
    faults.rule(() => fault)
    const store = storeAt(faults.endpoint)
    const error = await errorOf(verbs[verb](store))
    store.close()
    assert.equal(error.code, code)
    assert.match(String(error.hint), hint)
    assert.match(error.message, /s3:\/\/shop\/prod/)
  })
}

test('a port where nobody listens, and one where nobody answers, are for later', async () => {
  const closed = await errorOf(storeAt('http://127.0.0.1:9').head('a/b'))
  assert.equal(closed.code, 'STORAGE_UNREACHABLE')
  assert.match(String(closed.hint), /--s3-endpoint.*--s3-region/)

  await using mute = await listen(() => {})
  for (const [protocol, limit] of [
    ['http', 'answerMs'],
    ['https', 'connectMs'],
  ] as const) {
    const limits = { connectMs: 60_000, answerMs: 60_000, [limit]: 50 }
    const error = await errorOf(storeAt(`${protocol}://127.0.0.1:${mute.port}`, { limits }).head('a/b'))
    assert.equal(error.code, 'STORAGE_UNREACHABLE')
    assert.match(error.message, protocol === 'http' ? /silent for 50 ms/ : /no connection .* within 50 ms/)
  }
})

test(
  'an answer without an end is given up after a few megabytes, whatever it is about',
  { timeout: 120_000 },
  async () => {
    let sent = 0
    await using endless = await listen(socket => {
      socket.on('error', () => {})
      socket.once('data', request => {
        const status = String(request).startsWith('PUT') ? '403 Forbidden' : '200 OK'
        socket.write(`HTTP/1.1 ${status}\r\ncontent-type: application/xml\r\n\r\n<ListBucketResult>`)
        const more = () => {
          while (!socket.destroyed && socket.write(' '.repeat(65_536))) sent += 65_536
        }
        socket.on('drain', more)
        more()
      })
    })
    for (const verb of ['list', 'put'] as const) {
      sent = 0
      const error = await errorOf(verbs[verb](storeAt(`http://127.0.0.1:${endless.port}`)))
      assert.match(error.message, /an answer of more than 16777216 bytes/)
      assert.ok(sent < 64 * 1024 * 1024, `${verb}: ${sent} bytes`)
    }
  },
)

test('pages of a listing that bring nothing, and say that they follow themselves, are no listing', async () => {
  await using faults = await S3Faults.start()
  const page = (next: string) =>
    `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken></ListBucketResult>`
  let pages = 0
  // Empty pages alone are none: a store that passes over many deleted keys sends them.
  faults.rule(() => ({ kind: 'answer', status: 200, body: page(++pages < 5 ? `t${pages}` : 't5') }))
  const error = await errorOf(verbs.list(storeAt(faults.endpoint)))
  assert.deepEqual([error.code, pages], ['STORAGE_REFUSED', 6])
  assert.match(error.message, /follows itself/)
})

test('https:// to a server that speaks HTTP says so, and http:// to one that speaks TLS', async () => {
  await using http = await S3Faults.start()
  const tls = await errorOf(storeAt(http.endpoint.replace('http', 'https')).head('a/b'))
  assert.equal(tls.code, 'STORAGE_REFUSED')
  assert.match(String(tls.hint), /http:\/\//)

  // What OpenSSL sends back to a client that does not greet in TLS: an alert, `unexpected message`.
  await using encrypted = await listen(socket => socket.end(Buffer.from('15030100020246', 'hex')))
  const plain = await errorOf(storeAt(`http://127.0.0.1:${encrypted.port}`).head('a/b'))
  assert.equal(plain.code, 'STORAGE_REFUSED')
  assert.match(String(plain.hint), /https:\/\//)
})

test('certificates that cannot be trusted are final, and the hint says what helps', () => {
  const codes: [string, RegExp][] = [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /NODE_EXTRA_CA_CERTS/],
    ['CERT_HAS_EXPIRED', /NODE_EXTRA_CA_CERTS/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host/],
  ]
  for (const [code, hint] of codes) {
    const error = s3Error(Object.assign(new Error('certificate'), { code }), { verb: 'head', key: 'a', url: 's3://b' })
    assert.ok(error instanceof MaxbrodError)
    assert.equal(error.code, 'STORAGE_REFUSED')
    assert.match(String(error.hint), hint)
  }
})

test('without credentials, and without a region, the hint names what to set', async () => {
  const unset = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION']
  for (const name of unset) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nowhere/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
  })
  const anonymous = openS3Store({ bucket: 'shop', prefix: '', endpoint: 'http://127.0.0.1:9' })
  const nobody = await errorOf(anonymous.head('a/b'))
  assert.equal(nobody.code, 'STORAGE_AUTH')
  assert.match(String(nobody.hint), /AWS_ACCESS_KEY_ID/)

  const nowhere = await errorOf(openS3Store({ bucket: 'shop', prefix: '', credentials }).head('a/b'))
  // A line such as `AWS_REGION: ${REGION}` in a manifest, and nobody set REGION.
  process.env['AWS_REGION'] = ''
  const empty = await errorOf(openS3Store({ bucket: 'shop', prefix: '', credentials }).head('a/b'))
  Reflect.deleteProperty(process.env, 'AWS_REGION')
  for (const { code, hint } of [nowhere, empty]) {
    assert.equal(code, 'USAGE')
    assert.match(String(hint), /--s3-region \(AWS_REGION\)/)
  }
})

test('a clock that is wrong is set right by the first answer that says so', async () => {
  await using faults = await S3Faults.start()
  const inThreeHours = new Date(Date.now() + 3 * 60 * 60 * 1000)
  inThreeHours.setUTCMinutes(30) // far from the next hour, which must not begin meanwhile
  const dates: string[] = []
  faults.rule((_, headers) => {
    dates.push(String(headers['x-amz-date']))
    return dates.length === 1
      ? s3ErrorAnswer(403, 'RequestTimeTooSkewed', { date: inThreeHours.toUTCString() })
      : { kind: 'answer', status: 204 }
  })
  const store = storeAt(faults.endpoint)
  await assert.rejects(store.delete('a/b'), { code: 'STORAGE_UNREACHABLE' })
  await store.delete('a/b')
  assert.match(String(dates[1]), new RegExp(inThreeHours.toISOString().slice(0, 13).replaceAll('-', '')))
})

test('a signature covers the SHA-256 that is known, and conditions go out unless they are switched off', async () => {
  await using faults = await S3Faults.start()
  const seen: Record<string, unknown>[] = []
  faults.rule((_, headers) => {
    seen.push(headers)
    return { kind: 'answer', status: seen.length === 2 ? 404 : 200, headers: { etag: '"x"', 'content-length': '0' } }
  })
  const body = bodyOf('hello')
  await storeAt(faults.endpoint).put('a/b', body, { 'upload-id': 'u' })
  await storeAt(faults.endpoint, { isConditional: false }).put('a/b', body, {})
  const [conditional, , unconditional] = seen
  assert.equal(conditional?.['x-amz-content-sha256'], body.sha256)
  assert.match(String(conditional?.['authorization']), /SignedHeaders=[^,]*x-amz-content-sha256/)
  assert.equal(conditional?.['if-none-match'], '*')
  assert.equal(conditional?.['x-amz-meta-upload-id'], 'u')
  assert.equal(conditional?.['content-length'], '5')
  for (const name of ['transfer-encoding', 'expect', 'x-amz-checksum-crc32', 'x-amz-trailer']) {
    assert.equal(conditional?.[name], undefined, name)
  }
  assert.equal(unconditional?.['if-none-match'], undefined)
  assert.deepEqual(
    faults.seen.map(line => line.split(' ')[0]),
    ['PUT', 'HEAD', 'PUT'],
  )
})

test('a storage class and tags go out with the request, and what the store says of them names the file', async () => {
  await using faults = await S3Faults.start()
  const seen: Record<string, unknown>[] = []
  faults.rule((_, headers) => {
    seen.push(headers)
    return { kind: 'answer', status: 200, headers: { etag: '"x"', 'content-length': '0' } }
  })
  const tags = new Map([
    ['tier', 'cold & dry'],
    ['team', 'a=b'],
  ])
  const kept = { ...bodyOf('x'), keeping: { storageClass: 'STANDARD_IA', tags } }
  const put = () => storeAt(faults.endpoint).put('a/b', kept, {})
  await put()
  await verbs.put(storeAt(faults.endpoint))
  assert.equal(seen[0]?.['x-amz-storage-class'], 'STANDARD_IA')
  assert.deepEqual([...new URLSearchParams(String(seen[0]?.['x-amz-tagging']))], [...tags])
  for (const name of ['x-amz-storage-class', 'x-amz-tagging']) assert.equal(seen[1]?.[name], undefined, name)

  for (const [status, name, says] of [
    [501, 'NotImplemented', /tags .* --topic-rules/],
    [400, 'InvalidStorageClass', /storage-class .* --topic-rules/],
    [403, 'AccessDenied', /s3:PutObjectTagging/],
  ] as const) {
    faults.order(/^PUT/, s3ErrorAnswer(status, name))
    const error = await errorOf(put())
    assert.match(String(error.hint), says)
  }
  assert.equal(faults.unused, 0)
})

async function listen(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
