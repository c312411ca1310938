import { request as requestHttps } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Clock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { nodeHttp } from '../../runtime/node-http.ts'
import { KafkaError } from '../kafka-errors.ts'
import type { ClientCredentials } from '../sasl.ts'
import type { Token } from './kept-token.ts'

const ANSWER_MS = 10_000
/** Tokens are a few kilobytes. */
const ANSWER_CHARS_MAX = 256 * 1024
const HOUR_S = 3_600

/**
 * Asks the authorization server for a token (RFC 6749, 4.4: id and secret as HTTP basic authentication, which servers must take).
 * `tls` are options of node:tls: the authorities that are trusted for brokers are trusted here, as Java's client has it.
 * Throws KafkaError: SASL_AUTHENTICATION_FAILED when the server refuses, NETWORK_EXCEPTION when it does not answer.
 */
export async function askForToken(
  { endpoint, clientId, clientSecret, scope }: ClientCredentials,
  tls: object,
  clock: Clock,
): Promise<Token> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) })
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')
  const askedAt = clock.now()
  const { status, body } = await post(endpoint, tls, form.toString(), { authorization: `Basic ${basic}` })
  // What the server says is not repeated: it may repeat what it was given.
  if (status >= 500) throw new KafkaError('NETWORK_EXCEPTION', 'Login', `${endpoint} answered with HTTP ${status}`)
  if (status !== 200)
    throw new KafkaError('SASL_AUTHENTICATION_FAILED', 'Login', `${endpoint} refuses a token: HTTP ${status}`)
  const { value, seconds } = parse(body, endpoint)
  return { value, expiresAtMs: askedAt + seconds * 1000 }
}

function parse(body: string, endpoint: string): { value: string; seconds: number } {
  try {
    const { access_token: value, expires_in: seconds = HOUR_S } = JSON.parse(body) as Readonly<Record<string, unknown>>
    if (typeof value === 'string' && value !== '' && Number(seconds) > 0) return { value, seconds: Number(seconds) }
  } catch {
    // told below
  }
  throw new KafkaError('SASL_AUTHENTICATION_FAILED', 'Login', `the answer of ${endpoint} holds no access_token`)
}

async function post(
  endpoint: string,
  tls: object,
  form: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; body: string }> {
  const url = new URL(endpoint)
  const options = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    signal: AbortSignal.timeout(ANSWER_MS),
    agent: false,
  }
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const sent = url.protocol === 'https:' ? requestHttps(url, { ...options, ...tls }) : nodeHttp.request(url, options)
  sent.once('error', reject)
  sent.once('response', answer => {
    let chars = 0
    answer.on('data', (chunk: Buffer) => {
      if ((chars += chunk.length) > ANSWER_CHARS_MAX) answer.destroy(new Error('the answer is too long for a token'))
    })
    text(answer).then(body => resolve({ status: answer.statusCode ?? 0, body }), reject)
  })
  sent.end(form)
  try {
    return await promise
  } catch (cause) {
    throw new KafkaError('NETWORK_EXCEPTION', 'Login', `no token from ${endpoint}: ${messageOf(cause)}`, cause)
  }
}
