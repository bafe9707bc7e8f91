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

{{- define "purchase-order-webhook.config" -}}
{{- if hasKey .Values.config.target.oauth2 "client_secret" }}
{{- fail "config.target.oauth2.client_secret: a ConfigMap is no place for a secret, name the Secret that holds it in secrets.targetClientSecret" }}
{{- end }}
{{- if hasKey .Values.config.target.oauth2 "private_key" }}
{{- fail "config.target.oauth2.private_key: a ConfigMap is no place for a secret, mount the Secret that holds it by secrets.files and set private_key_file" }}
{{- end }}
{{- if hasKey (.Values.config.auth.introspection | default dict) "client_secret" }}
{{- fail "config.auth.introspection.client_secret: a ConfigMap is no place for a secret, mount the Secret that holds it by secrets.files and set client_secret_file" }}
{{- end }}
{{- $config := deepCopy .Values.config }}
{{- if .Values.secrets.ledgerUrl.secretName }}
{{- $_ := unset $config.ledger "url" }}
{{- else if not (hasPrefix "sqlite:" .Values.config.ledger.url) }}
{{- fail "config.ledger.url: the URL of a database may hold a password, name the Secret that holds it in secrets.ledgerUrl" }}
{{- end }}
{{- include "purchase-order-webhook.wholeNumbers" $config }}
{{- toToml $config | trim }}
{{- end }}

{{/* Makes whole numbers integers, in place: Helm reads every number of a values file as a float, and TOML would say `attempts = 3.0`. */}}
{{- define "purchase-order-webhook.wholeNumbers" -}}
{{- $map := . }}
{{- range $key, $value := $map }}
{{- if kindIs "map" $value }}
{{- include "purchase-order-webhook.wholeNumbers" $value }}
{{- else if kindIs "float64" $value }}
{{- if eq $value (floor $value) }}
{{- $_ := set $map $key (int64 $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The name of the Secret with the client secret for 11VMS; empty if the service authenticates without one. */}}
{{- define "purchase-order-webhook.clientSecret" -}}
{{- $oauth2 := .Values.config.target.oauth2 }}
{{- $usual := ternary "none" "basic" (eq ($oauth2.grant | default "") "jwt_bearer") }}
{{- if has ($oauth2.auth | default $usual) (list "basic" "post") }}
{{- required "secrets.targetClientSecret.secretName: required, the name of the Secret that holds the client secret for 11VMS" .Values.secrets.targetClientSecret.secretName }}
{{- end }}
{{- end }}

{{/* With SQLite, a second replica would have a second ledger, and one cart could become two orders. */}}
{{- define "purchase-order-webhook.replicas" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.secrets.ledgerUrl.secretName) }}
{{- fail "replicas: more than one needs a PostgreSQL ledger, name the Secret that holds its URL in secrets.ledgerUrl" }}
{{- end }}
{{- int .Values.replicas }}
{{- end }}

{{/* A ConfigMap's key can't contain "/". */}}
{{- define "purchase-order-webhook.mappingKey" -}}
{{- . | replace "/" "__" }}
{{- end }}

{{/* The whole seconds of a duration in the service's form ("500ms", "30s", "10m", "12h", "1d"), rounded up. */}}
{{- define "purchase-order-webhook.seconds" -}}
{{- if not (regexMatch "^[0-9]+(ms|s|m|h|d)$" (toString .)) }}
{{- fail (printf "config.server.stop_delay, config.server.drain: expected a duration such as 30s, found %v" .) }}
{{- end }}
{{- $number := regexFind "^[0-9]+" . | int64 }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- if eq $unit "ms" }}
{{- div (add $number 999) 1000 }}
{{- else }}
{{- mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end }}
{{- end }}

{{/* The time from SIGTERM to SIGKILL: enough for the delay, the drain, and the end of the process. */}}
{{- define "purchase-order-webhook.gracePeriod" -}}
{{- $server := .Values.config.server | default dict }}
{{- $delay := include "purchase-order-webhook.seconds" ($server.stop_delay | default "0s") | int64 }}
{{- $drain := include "purchase-order-webhook.seconds" ($server.drain | default "25s") | int64 }}
{{- $needed := add $delay $drain 10 }}
{{- $given := .Values.terminationGracePeriodSeconds }}
{{- if and (not (kindIs "invalid" $given)) (lt (int64 $given) $needed) }}
{{- fail (printf "terminationGracePeriodSeconds: expected at least %d, which config.server.stop_delay and config.server.drain need with 10 s for final answers; or leave it empty" $needed) }}
{{- end }}
{{- if kindIs "invalid" $given }}{{ $needed }}{{ else }}{{ int64 $given }}{{ end }}
{{- end }}
