{{/* Written by scripts/docs.ts from the options.ts files of src/: change that, then run `npm run docs`. */}}
{{- define "maxbrod.commaSeparated" -}}
["acceptGaps","bootstrapServer","encryptTo","identity","topic"]
{{- end }}
