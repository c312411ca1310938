# What the project can be asked to do. On a fresh Debian machine `make test` needs Node 20 or later, npm, Maven and
# Java 17; everything else it brings itself, into node_modules/ and .cache/. Words for the runner: make test ARGS=storage

NODE = scripts/node
BIN = node_modules/.bin

.PHONY: demo test test-long check lint format bench bench-scale-out servers torture scale-backup scale-coverage scale-report scale-groups scale-plan scale-compact torture-backup torture-matrix torture-restore torture-restore-matrix torture-kills torture-verify fuzz golden test-stores test-deploy deploy-tools sbom install

## a backup, a disaster and a restore with real data, in under two minutes
demo: install
	@$(NODE) demo/run.ts

## every test: pure, against a real broker and a real S3 server, and whole processes
test: install
	@$(NODE) test/run.ts $(ARGS)

## what is too slow for every run: networks and disks that fail, elections that lose records, killed workers' spools
test-long: install
	@$(NODE) test/run.ts test/long/ $(ARGS)

## how fast it is; writes bench/results/<date>.json. make bench ARGS='--runs 1 --only 150B', beside another: ARGS='--kafka-data-keep <binary>'
bench: servers
	@$(BIN)/tsc -p tsconfig.build.json
	@$(NODE) bench/run.ts $(ARGS)

## restores by two executors against those by one, with the CPU of each; writes bench/results/scale-out.json
bench-scale-out: servers
	@$(BIN)/tsc -p tsconfig.build.json
	@$(NODE) bench/scale-out.ts $(ARGS)

## types, lint and format only; `make test` has them too
check: install
	@$(NODE) test/run.ts test/checks.test.ts

## lint, and repair what can be repaired
lint: install
	@$(BIN)/oxlint --fix

## write all sources in the house's format
format: install
	@$(BIN)/oxfmt

## the jars of Kafka and S3Proxy and the Java side of the tests, into .cache/
servers: install
	@$(NODE) test/servers/prepare.ts

## long matrices that `make test` has no time for; what happened goes to test/torture/results/
torture: torture-backup torture-restore

## backups that are shot at, with many seeds, and the matrix; make torture-backup ARGS=--seeds=20
torture-backup: install
	@$(NODE) test/torture/backup.ts $(ARGS)
	@$(NODE) test/torture/backup-matrix.ts

## every failpoint of a backup worker, with a table; make torture-matrix ARGS='--seeds=1 --only=store. --minutes=30'
torture-matrix: install
	@$(NODE) test/torture/backup-matrix.ts $(ARGS)

## restores that are shot at, with many seeds, on one broker and on three, and the matrix; make torture-restore ARGS=--seeds=20
torture-restore: install
	@$(NODE) test/torture/restore.ts $(ARGS)
	@$(NODE) test/torture/restore-matrix.ts

## every failpoint of planner and executor, with a table; make torture-restore-matrix ARGS='--only=restore --minutes=30'
torture-restore-matrix: install
	@$(NODE) test/torture/restore-matrix.ts $(ARGS)

## a hundred SIGKILLs of three executors while they restore half a million records; takes a quarter of an hour
torture-kills: install
	@$(NODE) test/torture/restore-kills.ts $(ARGS)

## one backup worker with 3,000 partitions of 300 topics: start, memory, rest; make scale-backup ARGS='--topics 30'
scale-backup: install
	@$(NODE) test/torture/scale-backup.ts $(ARGS)

## a backup of 100,000 files in a folder is planned, and 5,000 files behind an S3 server; make scale-plan ARGS='--files 10000'
scale-plan: install
	@$(NODE) test/torture/scale-plan.ts $(ARGS)

## coverage of 100,000 files in a folder, and again with an index of their headers; make scale-coverage ARGS='--files 10000'
scale-coverage: install
	@$(NODE) test/torture/scale-coverage.ts $(ARGS)

## the page of 3,000 partitions: its bytes, and how long it takes to make
scale-report: install
	@$(NODE) test/torture/scale-report.ts $(ARGS)

## fifty million updates of a million keys are compacted in 256 MiB, in a few minutes; make scale-compact ARGS='--updates 5000000'
scale-compact: install
	@$(NODE) test/torture/scale-compact.ts $(ARGS)

## ten thousand flipped bits in an archive of 200 files, each of which verify must find; make torture-verify ARGS=--flips=500
torture-verify: install
	@$(NODE) test/torture/verify-flips.ts $(ARGS)

## 500 groups with 20 partitions each, and 10 M restored records: a look, and a restore; make scale-groups ARGS='--records 1000000'
scale-groups: install
	@$(NODE) test/torture/scale-groups.ts $(ARGS)

## changed files, batches and keys, each of which must be refused or read right; make fuzz ARGS='--inputs 1000000'
fuzz: install
	@mkdir -p test/fuzz/results
	@$(NODE) test/fuzz/format.ts --seconds 600 --out test/fuzz/results/format.json $(ARGS)

## object lock, encryption by the store, Azure: against servers that know them, which the first run brings (Go, Maven, npm; minutes)
test-stores: servers
	@$(NODE) test/stores/prepare.ts
	@$(NODE) test/run.ts test/stores/ $(ARGS)

## render chart and overlays, and validate what comes out; the first time needs Go and Python, and some minutes
test-deploy: deploy-tools
	@$(NODE) test/run.ts test/deploy/ $(ARGS)

## helm, kustomize, kubeconform and schemas, into .cache/
deploy-tools: install
	@$(NODE) test/deploy/prepare.ts

## what is in the package and in the image, by the lockfile: dist/sbom.cdx.json
sbom: install
	@$(NODE) scripts/sbom.ts

## write test/fixtures/batches again, with Kafka's own classes, and test/deploy/golden
golden: servers deploy-tools
	@$(NODE) test/servers/golden.ts
	@$(NODE) test/deploy/renderings.ts

# What the lockfile says; costs a fraction of a second when it is there.
install:
	@node scripts/install.mjs
