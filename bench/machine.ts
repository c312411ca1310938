import { cpus, totalmem } from 'node:os'

/** The machine in one line: figures without it say nothing. */
export function machine(): string {
  const [first] = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  return `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}), ${memory} GiB, Node ${process.versions.node}, broker, S3 server and program on the same machine`
}
