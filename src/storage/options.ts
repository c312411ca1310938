import { duration } from '../config/kinds-of-number.ts'
import { flag, path, secret, text } from '../config/kinds-of-text.ts'
import type { Kind, Option } from '../config/option.ts'
import { kindOfOne, one } from '../config/option.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { Unreadable } from '../config/unreadable.ts'
import { isPlainHttp, parseEndpoint, parseProxy, parseStorageUrl } from './storage-url.ts'
import type { StoragePlace } from './storage-url.ts'

const endpoint: Kind<string> = {
  ...kindOfOne({ name: 'text', placeholder: 'URL' }, parseEndpoint),
  doubt: texts =>
    texts.some(isPlainHttp) ? 'http:// is not encrypted: others on the way can read what is backed up' : undefined,
}

const proxy = kindOfOne({ name: 'text', placeholder: 'URL' }, parseProxy)

export const storageOptions = section('storage', {
  storage: one(kindOfOne({ name: 'text', placeholder: 'URL' }, parseStorageUrl), {
    isRequired: true,
    env: ['STORAGE_URL'],
    foreign: [{ flag: 'directory', otherwise: { beside: ['s3Region', 's3Endpoint'], refuse: isBucketThere } }],
    composed: { of: ['s3Bucket', 's3Prefix', 's3Location'], write: urlOfParts },
    doc: 'Where the backup is: s3://bucket/prefix, or file:///folder. Credentials for S3 are taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, a web identity, or the instance.',
  }),
  s3Bucket: text({
    placeholder: 'BUCKET',
    isAdvanced: true,
    foreign: [{ flag: 's3.bucket.name' }],
    doc: 'A bucket in place of --storage; with --s3-prefix the same as --storage s3://bucket/prefix.',
  }),
  s3Prefix: text({ placeholder: 'PREFIX', isAdvanced: true, doc: 'Prefix of the backup in --s3-bucket.' }),
  s3Location: text({
    placeholder: 'KEY',
    isAdvanced: true,
    doc: 'Key of the group snapshot of kafka-data-keep in --s3-bucket; without --s3-prefix, what stands before its last slash is the prefix.',
  }),
  s3Endpoint: one(endpoint, {
    env: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    doc: 'Address of an S3 server other than AWS, with http:// or https://. Buckets are then named in the path.',
  }),
  s3Region: text({
    placeholder: 'REGION',
    foreign: [{ flag: 's3.region' }],
    env: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    doc: 'Region of the bucket.',
  }),
  s3CaCert: path({
    isAdvanced: true,
    env: ['AWS_CA_BUNDLE'],
    doc: 'A PEM file of authorities to trust for the S3 server, beside those that are trusted anyway.',
  }),
  s3Proxy: one(proxy, {
    isAdvanced: true,
    foreign: [{ flag: 's3.proxy.url' }],
    doc: 'HTTP proxy on the way to the S3 server, with http:// or https://.',
  }),
  s3ProxyUser: text({ placeholder: 'USER', isAdvanced: true, doc: 'User of --s3-proxy.' }),
  s3ProxyPassword: secret({ isAdvanced: true, doc: 'Password of --s3-proxy-user.' }),
  allowUnconditionalPut: flag({
    isAdvanced: true,
    doc: 'Write to a store that ignores If-None-Match. Nothing then keeps two workers from overwriting each other: run one.',
  }),
  s3EscapeMetadata: flag({
    isAdvanced: true,
    doc: 'Write _ in metadata as %5F, for a store that alters it (Azure behind S3Proxy). For all commands on that backup. See docs/stores.md.',
  }),
  storageDeadline: duration({
    default: '5m',
    min: '1s',
    isAdvanced: true,
    doc: 'Try again this long when the store answers with temporary errors, or not at all.',
  }),
})

/** Of kafka-backup, where the region decides what a name is. */
function isBucketThere(own: string, name: string, beside: string): Unreadable {
  return new Unreadable(
    `${own} is a folder of this host, and ${beside} speaks of a bucket`,
    `if ${name} is a bucket, write --storage s3://${name}; if it is a folder, leave ${beside} out`,
  )
}

function urlOfParts({ s3Bucket, s3Prefix, s3Location }: Readonly<Record<string, unknown>>): readonly string[] {
  const texts = [s3Bucket, s3Prefix, s3Location] as readonly (string | undefined)[]
  const [bucket = '', prefix, location = ''] = texts
  const folder = location.slice(0, Math.max(location.lastIndexOf('/'), 0))
  return [`s3://${bucket}/${prefix ?? folder}`]
}

const storageIfAny: Option<StoragePlace | undefined> = { ...storageOptions.options.storage, isRequired: false }

/** For a command that can do without. */
export const storageIfAnyOptions = section(
  'storageIfAny',
  {
    ...storageOptions.options,
    storage: storageIfAny,
  },
  { heading: 'Storage' },
)

export type StorageOptions = Values<typeof storageOptions>
