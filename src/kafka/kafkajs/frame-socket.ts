import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const KEEP_ALIVE_MS = 60_000

interface SocketReader {
  /** Where the next bytes belong, if that is known. */
  readonly place: () => Buffer | undefined
  readonly onChunk: (chunk: Buffer) => void
  readonly onClose: () => void
}

/** A socket, TLS or not, that reads each answer right into its place. */
export function openSocket(
  { host, port, ssl, onConnect }: { host: string; port: number; ssl: object | null; onConnect: () => void },
  readBytes: number,
  { place, onChunk, onClose }: SocketReader,
): Socket {
  const between = Buffer.allocUnsafeSlow(readBytes)
  const onread = {
    // Asked anew after each read, in the same turn: a frame that is whole is never written to again.
    buffer: () => place() ?? between,
    callback(bytes: number, buffer: Uint8Array) {
      onChunk(Buffer.from(buffer.buffer, buffer.byteOffset, bytes))
      return true
    },
  }
  const socket =
    ssl === null
      ? connectTcp({ host, port, onread }, onConnect)
      : connectTls(
          { host, port, onread, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl } as object,
          onConnect,
        )
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  socket.once('close', onClose)
  return socket
}
