{{- define "maxbrod.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}{{ $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end }}{{ end }}
{{- end }}

{{- define "maxbrod.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "maxbrod.labels" -}}
{{ include "maxbrod.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "maxbrod.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "maxbrod.fullname" .) .Values.serviceAccount.name }}
{{- else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- define "maxbrod.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}{{ end }}
{{- end }}

{{/* An option's value as text. YAML's numbers come as floats, and a large one must not be written as 1e+06. */}}
{{- define "maxbrod.text" -}}
{{- if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{/* One environment variable for each option: minFileSize → MIN_FILE_SIZE. A later list wins over an earlier one. */}}
{{- define "maxbrod.options" -}}
{{- $commaSeparated := include "maxbrod.commaSeparated" . | fromJsonArray }}
{{- $all := dict }}
{{- range . }}{{ $all = merge (deepCopy .) $all }}{{ end }}
{{- range $key, $value := $all }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ regexReplaceAll "([A-Z])" $key "_${1}" | upper | quote }}
  {{- if kindIs "slice" $value }}
  {{- $texts := list }}{{ range $value }}{{ $texts = append $texts (include "maxbrod.text" .) }}{{ end }}
  value: {{ join (has $key $commaSeparated | ternary "," " ") $texts | quote }}
  {{- else }}
  value: {{ include "maxbrod.text" $value | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "maxbrod.hasMtls" -}}
{{- if and .Values.kafka.mtls.caSecret .Values.kafka.mtls.userSecret }}yes{{ end }}
{{- end }}

{{/* Ports of the addresses in the values: brokers, and the way to the store. */}}
{{- define "maxbrod.namedPorts" -}}
{{- $ports := list }}
{{- $servers := .Values.kafka.options.bootstrapServer | default list }}
{{- if not (kindIs "slice" $servers) }}{{ $servers = splitList "," $servers }}{{ end }}
{{- range $servers }}{{ $ports = append $ports (regexFind ":[0-9]+$" (trim .) | trimPrefix ":" | default "9092" | int) }}{{ end }}
{{- with .Values.storage.options }}{{ range list .s3Endpoint .s3Proxy }}{{ if . }}
{{- $usual := hasPrefix "https:" . | ternary "443" "80" }}
{{- $ports = append $ports (regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" | default $usual | int) }}
{{- end }}{{ end }}{{ end }}
{{- toJson $ports }}
{{- end }}
