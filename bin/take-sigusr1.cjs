// Loaded before the program. SIGUSR1 means "flush"; until somebody listens, Node would open a debugger port on it. Node's own
// switch for that, --disable-sigusr1, blocks the signal for good: no handler ever sees it (Node 24.21).
process.on('SIGUSR1', () => undefined)
