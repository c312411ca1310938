import type { ClientRequest, IncomingMessage } from 'node:http'

export interface SilenceLimits {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number
  /** Without a byte in either direction, until the answer begins. */
  readonly answerMs: number
  /** Without a byte, inside the body of an answer. */
  readonly idleMs: number
}

/** Why a request was given up: the other side stopped moving. */
export class SilenceError extends Error {
  override readonly name = 'TimeoutError'
  readonly code = 'ETIMEDOUT'
}

/**
 * Ends a request that stands still, is aborted, or has its answer before its body was read; the answer's body ends with it. Returns
 * the way to end it for another reason.
 */
export function giveUpWhereDue(
  outgoing: ClientRequest,
  limits: SilenceLimits,
  abortSignal: unknown,
): (error: Error) => void {
  const fail = failing(outgoing)
  giveUpInSilence(outgoing, limits, fail)
  endWithAnswer(outgoing)
  if (abortSignal instanceof AbortSignal) failOnAbort(outgoing, abortSignal, fail)
  return fail
}

/** Ends the request, and the body of its answer if there is one already, with an error. */
function failing(outgoing: ClientRequest): (error: Error) => void {
  let incoming: IncomingMessage | undefined
  outgoing.once('response', response => {
    incoming = response
    // Whoever reads the body gets the error; when nobody does yet, it must not end the process.
    response.on('error', () => {})
  })
  return error => {
    incoming?.destroy(error)
    outgoing.destroy(error)
  }
}

function giveUpInSilence(
  outgoing: ClientRequest,
  { connectMs, answerMs, idleMs }: SilenceLimits,
  fail: (error: Error) => void,
): void {
  const { host } = outgoing
  outgoing.once('socket', socket => {
    if (!socket.connecting) return
    const timer = setTimeout(() => fail(new SilenceError(`no connection to ${host} within ${connectMs} ms`)), connectMs)
    const isConnected = () => clearTimeout(timer)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', isConnected)
    outgoing.once('close', isConnected)
  })
  let incoming: IncomingMessage | undefined
  outgoing.once('response', response => {
    incoming = response
    outgoing.setTimeout(idleMs)
  })
  outgoing.setTimeout(answerMs)
  outgoing.on('timeout', () => {
    // Bytes that nobody has fetched yet: not the store is slow, our reader is.
    if (incoming !== undefined && incoming.readableLength > 0) outgoing.setTimeout(idleMs)
    else fail(new SilenceError(`${host} was silent for ${incoming === undefined ? answerMs : idleMs} ms`))
  })
}

/** A store that answers before it has read the whole body, to refuse it, may never read the rest. */
function endWithAnswer(outgoing: ClientRequest): void {
  outgoing.once('response', incoming => {
    incoming.once('close', () => {
      if (!outgoing.writableFinished) outgoing.destroy()
    })
  })
}

function failOnAbort(outgoing: ClientRequest, signal: AbortSignal, fail: (error: Error) => void): void {
  const abort = () => fail(new DOMException('the request was aborted', 'AbortError'))
  if (signal.aborted) return abort()
  signal.addEventListener('abort', abort, { once: true })
  outgoing.once('close', () => signal.removeEventListener('abort', abort))
}
