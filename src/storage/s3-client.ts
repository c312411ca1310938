import type { S3ClientConfig } from '@aws-sdk/client-s3'
import { S3Client } from '@aws-sdk/client-s3'
import type { HttpLimits, HttpRoute } from './s3-http.ts'
import { S3HttpHandler, defaultHttpLimits } from './s3-http.ts'

export interface S3Place {
  readonly bucket: string
  /** Without slash at either end; '' for none. */
  readonly prefix: string
  /** Of a store other than AWS, with http:// or https://. */
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
}

/** What every put asks for, beside what its body does. */
export interface S3Keeping {
  readonly storageClass?: string | undefined
  readonly lock?: { readonly mode: 'GOVERNANCE' | 'COMPLIANCE'; readonly retainMs: number } | undefined
  readonly encryption?: { readonly by: string; readonly kmsKeyId: string | undefined } | undefined
}

export interface S3Options extends S3Place, HttpRoute {
  /** False: the store knows no If-None-Match, and one worker only writes. */
  readonly isConditional?: boolean
  /** How all objects are to be kept. */
  readonly keeping?: S3Keeping | undefined
  /** Default: where the SDK finds them. */
  readonly credentials?: S3ClientConfig['credentials']
  readonly limits?: Partial<HttpLimits>
  /** Keys per page of a listing; the store's own default, 1000, unless a test wants pages. */
  readonly pageKeys?: number
}

export function newS3Client({ endpoint, region, credentials, limits, proxy, ca }: S3Options): S3Client {
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    // Other stores ignore the region, but the SDK signs with one.
    ...(region === undefined ? (endpoint === undefined ? {} : { region: 'us-east-1' }) : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: new S3HttpHandler({ ...defaultHttpLimits, ...limits }, { proxy, ca }),
    // retrying.ts does it, and knows what a lost answer means.
    maxAttempts: 1,
    // Every byte is covered by SHA-256, once, in the signature. More costs time, and many other stores refuse it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A round trip before each upload, and six seconds where the store does not know the question.
    expectContinueHeader: false,
    logger: silent,
  })
}

/** The SDK has opinions about streams and versions, and prints them unless somebody listens. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** The options of `send` for a request that ends when `signal` aborts. */
export function until(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal }
}
