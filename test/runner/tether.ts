/** Preloaded into each test file's process: ends it when the runner is gone, whose end of standard input then closes. */
process.stdin.on('end', () => process.exit(143)).resume()
if ('unref' in process.stdin) process.stdin.unref()
