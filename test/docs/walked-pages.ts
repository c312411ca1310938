/** Pages whose blocks are run, and the test that does it. On other pages `sh` shows single commands, which are read like a command line. */
export const walkedPages: Readonly<Record<string, string>> = {
  'README.md': 'test/system/pages.test.ts',
  'docs/operations.md': 'test/system/runbooks.test.ts',
  'docs/encryption.md': 'test/system/pages.test.ts',
  'docs/migration.md': 'test/system/pages.test.ts',
  'docs/morning-after.md': 'test/commands/morning-after.kafka.test.ts',
}

/** Commands of walked pages that another test runs, because they take too long. */
export const runElsewhere: Readonly<Record<string, string>> = {
  'make demo': 'test/long/demo.test.ts',
}
