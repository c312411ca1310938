{{/*
The pod of any component. Takes root, component, command, options, resources, and what only some have: isServed (it has
metrics and health), lifecycle, env, volumes, mounts, grace, restartPolicy, needsKafka, serviceAccount and envFromSecrets of its own.
*/}}
{{- define "maxbrod.pod" -}}
{{- $root := .root }}{{ $values := $root.Values }}
{{- $secrets := .envFromSecrets | default $values.envFromSecrets }}
metadata:
  labels:
    {{- include "maxbrod.selector" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- $annotations := deepCopy $values.podAnnotations }}
  {{- if and .isServed $values.metrics.annotations }}
  {{- $annotations = merge (dict "prometheus.io/scrape" "true" "prometheus.io/port" "8081" "prometheus.io/path" "/metrics") $annotations }}
  {{- end }}
  {{- with $annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .serviceAccount | default (include "maxbrod.serviceAccount" $root) }}
  automountServiceAccountToken: false
  # Kubernetes would set FLUSH_PORT for a service named flush, and options have such names.
  enableServiceLinks: false
  {{- with $values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext: {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with .grace }}
  terminationGracePeriodSeconds: {{ . }}
  {{- end }}
  {{- if .waitsForPlan }}
  # Before the planner has begun, this ends with exit 10, and the pod is tried again later.
  initContainers:
    - name: plan-is-there
      image: {{ include "maxbrod.image" $root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [status, --is-planned]
      env:
        {{- $view := list $values.log.options $values.kafka.options (dict "planTopic" $values.planTopic) }}
        {{- if $values.kafka.properties.secret }}
        {{- $view = append $view (dict "commandConfig" (printf "/etc/maxbrod/kafka/%s" $values.kafka.properties.key)) }}
        {{- end }}
        {{- if include "maxbrod.hasMtls" $root }}{{ $view = append $view (dict "kafkaMtlsAuth" true) }}{{ end }}
        {{- include "maxbrod.options" $view | nindent 8 }}
        {{- with $values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with $secrets }}
      envFrom:
        {{- range . }}
        - secretRef: { name: {{ . }} }
        {{- end }}
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext: {{- toYaml $values.securityContext | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if $values.kafka.properties.secret }}
        - { name: kafka, mountPath: /etc/maxbrod/kafka, readOnly: true }
        {{- end }}
        {{- if include "maxbrod.hasMtls" $root }}
        - { name: certs, mountPath: /certs, readOnly: true }
        {{- end }}
        {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  {{- end }}
  containers:
    - name: maxbrod
      image: {{ include "maxbrod.image" $root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [{{ .command }}]
      env:
        {{- $own := list $values.log.options }}
        {{- if .needsKafka }}{{ $own = append $own $values.kafka.options }}{{ end }}
        {{- if .needsStorage }}{{ $own = append $own $values.storage.options }}{{ end }}
        {{- if and .needsKafka $values.kafka.properties.secret }}
        {{- $own = append $own (dict "commandConfig" (printf "/etc/maxbrod/kafka/%s" $values.kafka.properties.key)) }}
        {{- end }}
        {{- if and .needsKafka (include "maxbrod.hasMtls" $root) }}{{ $own = append $own (dict "kafkaMtlsAuth" true) }}{{ end }}
        {{- if .isServed }}{{ $own = append $own (dict "metricsPort" 8081) }}{{ end }}
        {{- include "maxbrod.options" (append $own .options) | nindent 8 }}
        {{- with .env }}{{ toYaml . | nindent 8 }}{{ end }}
        {{- with $values.extraEnv }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with $secrets }}
      envFrom:
        {{- range . }}
        - secretRef: { name: {{ . }} }
        {{- end }}
      {{- end }}
      {{- if .isServed }}
      ports:
        - { name: metrics, containerPort: 8081 }
      # What /livez says depends on this process alone: to restart all workers heals no broker and no store.
      startupProbe:
        httpGet: { path: /livez, port: metrics }
        periodSeconds: 5
        failureThreshold: 60
      readinessProbe:
        httpGet: { path: /readyz, port: metrics }
        periodSeconds: 10
        timeoutSeconds: 5
      livenessProbe:
        httpGet: { path: /livez, port: metrics }
        periodSeconds: 20
        timeoutSeconds: 10
        failureThreshold: 6
      {{- end }}
      {{- with .lifecycle }}
      lifecycle: {{- toYaml . | nindent 8 }}
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext: {{- toYaml $values.securityContext | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        {{- if and .needsKafka $values.kafka.properties.secret }}
        - { name: kafka, mountPath: /etc/maxbrod/kafka, readOnly: true }
        {{- end }}
        {{- if and .needsKafka (include "maxbrod.hasMtls" $root) }}
        - { name: certs, mountPath: /certs, readOnly: true }
        {{- end }}
        {{- with .mounts }}{{ toYaml . | nindent 8 }}{{ end }}
        {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- if and .needsKafka $values.kafka.properties.secret }}
    - name: kafka
      secret: { secretName: {{ $values.kafka.properties.secret }}, defaultMode: 0440 }
    {{- end }}
    {{- if and .needsKafka (include "maxbrod.hasMtls" $root) }}
    {{- with $values.kafka.mtls }}
    - name: certs
      projected:
        defaultMode: 0440
        sources:
          - secret:
              name: {{ .caSecret }}
              items: [{ key: {{ .caKey }}, path: ca.crt }]
          - secret:
              name: {{ .userSecret }}
              items: [{ key: {{ .certificateKey }}, path: tls.crt }, { key: {{ .privateKey }}, path: tls.key }]
    {{- end }}
    {{- end }}
    {{- with .volumes }}{{ toYaml . | nindent 4 }}{{ end }}
    {{- with $values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .isSpread }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "maxbrod.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ .component }}
  {{- end }}
{{- end }}

{{- define "maxbrod.metadata" -}}
name: {{ include "maxbrod.fullname" .root }}-{{ .name | default .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "maxbrod.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "maxbrod.componentSelector" -}}
matchLabels:
  {{- include "maxbrod.selector" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* A Job cannot be changed: its name follows from its pod, so that a changed one is another Job and an unchanged one is left alone. */}}
{{- define "maxbrod.jobName" -}}
{{ .component }}-{{ list .spec (dict "is" .more) | toJson | sha256sum | trunc 8 }}
{{- end }}

{{/* Exit codes that another try does not mend: usage, partial, holes, refused, not found, no rights. */}}
{{- define "maxbrod.failurePolicy" -}}
podFailurePolicy:
  rules:
    - action: {{ .action | default "FailJob" }}
      onExitCodes: { containerName: maxbrod, operator: In, values: [2, 3, 4, 6, 10, 12] }
    - action: Ignore
      onPodConditions: [{ type: DisruptionTarget, status: 'True' }]
{{- end }}
