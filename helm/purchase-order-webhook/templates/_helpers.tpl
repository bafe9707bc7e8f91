{{- define "purchase-order-webhook.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{/* At most 52 characters: Kubernetes appends a hash to a StatefulSet's name, and the result is a label of at most 63. */}}
{{- define "purchase-order-webhook.fullname" -}}
{{- $name := include "purchase-order-webhook.name" . }}
{{- if .Values.fullnameOverride }}
{{- $name = .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- $name = .Release.Name }}
{{- else }}
{{- $name = printf "%s-%s" .Release.Name $name }}
{{- end }}
{{- $name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "purchase-order-webhook.selectorLabels" -}}
app.kubernetes.io/name: {{ include "purchase-order-webhook.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "purchase-order-webhook.labels" -}}
{{ include "purchase-order-webhook.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "purchase-order-webhook.image" -}}
{{- with .Values.image }}
{{- .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "purchase-order-webhook.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "purchase-order-webhook.fullname" .) }}
{{- end }}

{{/* Not empty if the ledger is a PostgreSQL database. */}}
{{- define "purchase-order-webhook.database" -}}
{{- .Values.secrets.ledgerUrl.secretName | default "" }}
{{- end }}

{{/* The Service with the management port: one of its own where the API's is reached from outside of the cluster. */}}
{{- define "purchase-order-webhook.managementService" -}}
{{- include "purchase-order-webhook.fullname" . }}{{ if ne .Values.service.type "ClusterIP" }}-management{{ end }}
{{- end }}

{{- define "purchase-order-webhook.scheme" -}}
{{- ternary "https" "http" (hasKey (.Values.config.server | default dict) "tls") }}
{{- end }}

{{/* With SQLite, a second replica would have a second ledger, and one cart could become two orders. */}}
{{- define "purchase-order-webhook.replicas" -}}
{{- if not (include "purchase-order-webhook.database" .) }}
{{- if gt (int .Values.replicas) 1 }}
{{- fail "replicas: more than one needs a PostgreSQL ledger, name the Secret that holds its URL in secrets.ledgerUrl" }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
{{- fail "autoscaling.enabled: more than one replica needs a PostgreSQL ledger, name the Secret that holds its URL in secrets.ledgerUrl" }}
{{- end }}
{{- end }}
{{- int .Values.replicas }}
{{- end }}

{{/* A ConfigMap's key has Latin letters, digits, "-", "_" and "."; a file's name may have any. What is replaced is told apart by a hash. */}}
{{- define "purchase-order-webhook.mappingKey" -}}
{{- $plain := regexReplaceAll "[^-._a-zA-Z0-9]" (replace "/" "__" .) "_" }}
{{- if or (contains "__" .) (ne $plain (replace "/" "__" .)) }}
{{- $plain = printf "%s.%s" (trunc 200 $plain) (sha256sum . | trunc 8) }}
{{- end }}
{{- $plain }}
{{- end }}

{{/* The whole seconds of a duration in the service's form ("500ms", "30s", "10m", "12h", "1d"), rounded up. Takes a list: setting, value. */}}
{{- define "purchase-order-webhook.seconds" -}}
{{- $value := toString (index . 1) | trim }}
{{- if not (regexMatch "^[0-9]+(ms|s|m|h|d)$" $value) }}
{{- fail (printf "config.%s: expected a duration such as 30s, found %s" (index . 0) $value) }}
{{- end }}
{{- $number := regexFind "^[0-9]+" $value | int64 }}
{{- $unit := regexFind "[a-z]+$" $value }}
{{- if eq $unit "ms" }}
{{- div (add $number 999) 1000 }}
{{- else }}
{{- mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end }}
{{- end }}

{{/* The time from SIGTERM to SIGKILL: enough for the delay, the drain, and the end of the process. */}}
{{- define "purchase-order-webhook.gracePeriod" -}}
{{- $server := .Values.config.server | default dict }}
{{- $delay := include "purchase-order-webhook.seconds" (list "server.stop_delay" ($server.stop_delay | default "0s")) | int64 }}
{{- $drain := include "purchase-order-webhook.seconds" (list "server.drain" ($server.drain | default "25s")) | int64 }}
{{- $deadline := include "purchase-order-webhook.seconds" (list "server.deadline" ($server.deadline | default "50s")) | int64 }}
{{- if le (add $delay $drain) $deadline }}
{{- fail (printf "config.server.drain: expected more than %ds, so that stop_delay and drain are together longer than config.server.deadline (%ds) and each caller gets its answer" (max 0 (sub $deadline $delay)) $deadline) }}
{{- end }}
{{- $needed := add $delay $drain 10 }}
{{- $given := .Values.terminationGracePeriodSeconds }}
{{- if and (not (kindIs "invalid" $given)) (lt (int64 $given) $needed) }}
{{- fail (printf "terminationGracePeriodSeconds: expected at least %d, which config.server.stop_delay and config.server.drain need with 10 s for final answers; or leave it empty" $needed) }}
{{- end }}
{{- if kindIs "invalid" $given }}{{ $needed }}{{ else }}{{ int64 $given }}{{ end }}
{{- end }}

{{/* Looks of the startup probe, one each 2 s: two minutes to open a large ledger, and longer than a start waits for its database. */}}
{{- define "purchase-order-webhook.startupLooks" -}}
{{- $timeout := include "purchase-order-webhook.seconds" (list "ledger.start_timeout" (.Values.config.ledger.start_timeout | default "60s")) | int64 }}
{{- div (max 120 (add $timeout 60)) 2 }}
{{- end }}
