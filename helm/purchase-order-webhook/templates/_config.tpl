{{/* The service's config.toml, without secrets. */}}
{{- define "purchase-order-webhook.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if include "purchase-order-webhook.database" . }}
{{- $_ := unset $config.ledger "url" }}
{{- else if not (hasPrefix "sqlite:" .Values.config.ledger.url) }}
{{- fail "config.ledger.url: the URL of a database may hold a password, name the Secret that holds it in secrets.ledgerUrl" }}
{{- else if not (hasPrefix "sqlite:/var/lib/purchase-order-webhook/" .Values.config.ledger.url) }}
{{- fail (printf "config.ledger.url: expected a file below /var/lib/purchase-order-webhook, where the volume is, found %s" .Values.config.ledger.url) }}
{{- end }}
{{- include "purchase-order-webhook.refuseSecrets" (list "config" $config) }}
{{- range .Values.secrets.settings }}
{{- include "purchase-order-webhook.refuseTwice" (list $config .setting) }}
{{- end }}
{{- include "purchase-order-webhook.words" $config }}
{{- include "purchase-order-webhook.plain" $config }}
{{- toToml $config | trim }}
{{- end }}

{{/*
Refuses what may be a secret: a ConfigMap is no place for one. By the names that the service's secrets have, by the names of headers that
carry some, and a password in a URL. Takes a list: path, value.
*/}}
{{- define "purchase-order-webhook.refuseSecrets" -}}
{{- $path := index . 0 }}
{{- $value := index . 1 }}
{{- if kindIs "map" $value }}
{{- range $key, $inner := $value }}
{{- $at := printf "%s.%s" $path $key }}
{{- $isHeader := and (regexMatch "[._]headers$" $path) (regexMatch "(?i)(authorization|cookie|api-?key|token|secret|password)$" $key) }}
{{- $isHeaders := and (hasSuffix "_headers" $key) (kindIs "string" $inner) }}
{{- if or $isHeader $isHeaders (regexMatch "^(.*_)?(secret|password|private_key|routing_key|api_key)$" $key) }}
{{- $remedy := printf "name the Secret that holds it in secrets.settings, or mount it by secrets.files and set %s_file" $key }}
{{- if eq $at "config.target.oauth2.client_secret" }}
{{- $remedy = "name the Secret that holds it in secrets.targetClientSecret" }}
{{- end }}
{{- fail (printf "%s: a ConfigMap is no place for a secret, %s" $at $remedy) }}
{{- end }}
{{- include "purchase-order-webhook.refuseSecrets" (list $at $inner) }}
{{- end }}
{{- else if kindIs "slice" $value }}
{{- range $index, $inner := $value }}
{{- include "purchase-order-webhook.refuseSecrets" (list (printf "%s[%d]" $path $index) $inner) }}
{{- end }}
{{- else if kindIs "string" $value }}
{{- if regexMatch "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]*:[^/?#@]+@" $value }}
{{- fail (printf "%s: the URL has a password, and a ConfigMap is no place for a secret: name the Secret that holds the URL in secrets.settings" $path) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Refuses a setting that is given twice. Takes a list: the settings, the dotted name of one that a Secret holds. */}}
{{- define "purchase-order-webhook.refuseTwice" -}}
{{- $at := index . 0 }}
{{- $setting := index . 1 }}
{{- range initial (splitList "." $setting) }}
{{- $at = get (ternary $at dict (kindIs "map" $at)) . | default dict }}
{{- end }}
{{- $last := last (splitList "." $setting) }}
{{- range list $last (printf "%s_file" $last) }}
{{- if and (kindIs "map" $at) (hasKey $at .) }}
{{- fail (printf "secrets.settings: %s is in config as well (%s); expected one of both" $setting .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* YAML takes a bare on, off, yes or no for a boolean; where the service expects such a word, it gets it. In place. */}}
{{- define "purchase-order-webhook.words" -}}
{{- if kindIs "bool" .ledger.keep_carts }}{{ $_ := set .ledger "keep_carts" (ternary "on" "off" .ledger.keep_carts) }}{{ end }}
{{- if kindIs "bool" .mapping.plausibility }}{{ $_ := set .mapping "plausibility" (ternary "on" "off" .mapping.plausibility) }}{{ end }}
{{- end }}

{{/*
Removes absent values, which TOML does not have, and makes whole numbers integers, in place: Helm reads every number of a values file as a
float, and TOML would say `attempts = 3.0`.
*/}}
{{- define "purchase-order-webhook.plain" -}}
{{- $map := . }}
{{- range $key, $value := $map }}
{{- if kindIs "invalid" $value }}
{{- $_ := unset $map $key }}
{{- else if kindIs "map" $value }}
{{- include "purchase-order-webhook.plain" $value }}
{{- else if kindIs "slice" $value }}
{{- $list := list }}
{{- range $value }}
{{- if kindIs "map" . }}
{{- include "purchase-order-webhook.plain" . }}
{{- end }}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}
{{- $list = append $list (int64 .) }}
{{- else if not (kindIs "invalid" .) }}
{{- $list = append $list . }}
{{- end }}
{{- end }}
{{- $_ := set $map $key $list }}
{{- else if kindIs "float64" $value }}
{{- if eq $value (floor $value) }}
{{- $_ := set $map $key (int64 $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
