import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isPlainHttp,
  parseEndpoint,
  parseStorageUrl,
  placeAbove,
  placeBelow,
  storageUrl,
} from '../../src/storage/storage-url.ts'

test('storage URLs name a bucket and a prefix, or a folder', () => {
  const cases: [text: string, url: string][] = [
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/', 's3://bucket'],
    ['s3://bucket/a/b', 's3://bucket/a/b'],
    ['s3://bucket/a/b/', 's3://bucket/a/b'],
    ['s3://bucket//a', 's3://bucket/a'],
    ['s3://my.bucket-1/@x', 's3://my.bucket-1/@x'],
    ['file:///backup', 'file:///backup'],
    ['file:///with space/and%20percent', 'file:///with space/and%20percent'],
    ['file://backup/today', 'file://backup/today'],
    ['./backup', 'file://./backup'],
    ['/backup', 'file:///backup'],
    ['backup', 'file://backup'],
  ]
  for (const [text, url] of cases) assert.equal(storageUrl(parseStorageUrl(text)), url, text)
})

test('what is no storage URL is refused, and what may be a password is not repeated', () => {
  const bad = [
    '',
    's3://',
    's3:///prefix',
    'file://',
    'gs://bucket',
    'http://minio:9000/bucket',
    's3://b',
    's3://-bucket',
  ]
  const worse = [
    's3://bucket/a//b',
    's3://bucket/a/../b',
    's3://bucket/.',
    `s3://bucket/${'x'.repeat(481)}`,
    's3://bucket/@tmp',
  ]
  for (const text of [...bad, ...worse]) assert.throws(() => parseStorageUrl(text), { name: 'Unreadable' }, text)
  for (const text of [
    's3://key:PASSWORD@bucket/prefix',
    'https://key:PASSWORD@host/bucket',
    'ftp://a:PASSWORD@host',
    's3://key:PASSWORD/1@bucket/prefix',
    'https://key:1/PASSWORD@host/bucket',
  ]) {
    assert.throws(
      () => parseStorageUrl(text),
      (error: Error) => !error.message.includes('PASSWORD'),
      text,
    )
  }
})

test('an endpoint is an address with a protocol and without credentials', () => {
  assert.equal(parseEndpoint('http://127.0.0.1:9000/'), 'http://127.0.0.1:9000')
  assert.equal(parseEndpoint('https://s3.example.com/base'), 'https://s3.example.com/base')
  for (const text of [
    'minio:9000',
    'localhost',
    'ftp://x',
    'https://',
    'http://x?a=b',
    'http://user:PASSWORD@x',
    'http://user:PASSWORD/1@x',
    'user://PASSWORD/1@x',
    '//x',
  ]) {
    assert.throws(
      () => parseEndpoint(text),
      (error: Error) => error.name === 'Unreadable' && !error.message.includes('PASSWORD'),
      text,
    )
  }
})

test('plain http is worth a warning, except on this machine', () => {
  for (const url of ['http://minio:9000', 'http://10.0.0.1', 'http://127.0.0.1.example.com'])
    assert.equal(isPlainHttp(url), true, url)
  for (const url of ['https://minio', 'http://127.0.0.1:9000', 'http://localhost', 'http://[::1]:1']) {
    assert.equal(isPlainHttp(url), false, url)
  }
})

test('above a place is the one that holds it; above a bucket is nothing', () => {
  const above = (text: string) => {
    const place = placeAbove(parseStorageUrl(text))
    return place === undefined ? undefined : storageUrl(place)
  }
  assert.equal(above('s3://bucket/a/b'), 's3://bucket/a')
  assert.equal(above('s3://bucket/a'), 's3://bucket')
  assert.equal(above('s3://bucket'), undefined)
  assert.equal(above('/a/b'), 'file:///a')
  assert.equal(above('/a/'), 'file:///')
  assert.equal(above('/'), undefined)
  assert.equal(above('a'), 'file://.')
  assert.equal(storageUrl(placeBelow(parseStorageUrl('s3://bucket'), 'x')), 's3://bucket/x')
  assert.equal(storageUrl(placeBelow(parseStorageUrl('s3://bucket/a'), 'x')), 's3://bucket/a/x')
  assert.equal(storageUrl(placeBelow(parseStorageUrl('/'), 'x')), 'file:///x')
  assert.equal(storageUrl(placeBelow(parseStorageUrl('/a/'), 'x')), 'file:///a/x')
})
