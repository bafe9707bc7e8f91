{{/* The pods of either kind: what a StatefulSet and a Deployment have in common. */}}
{{- define "purchase-order-webhook.podTemplate" -}}
{{- $fullname := include "purchase-order-webhook.fullname" . -}}
metadata:
  labels:
    {{- include "purchase-order-webhook.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Changed settings need a restart. A changed mapping is reloaded without one.
    checksum/config: {{ include "purchase-order-webhook.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "purchase-order-webhook.serviceAccount" . }}
  automountServiceAccountToken: false
  # The links of a Service called "po-webhook" would be PO_WEBHOOK_… variables, the prefix of the service's settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "purchase-order-webhook.gracePeriod" . }}
  {{- include "purchase-order-webhook.placement" . | nindent 2 }}
  securityContext:
    {{- include "purchase-order-webhook.podSecurity" . | nindent 4 }}
  containers:
    - name: purchase-order-webhook
      image: {{ include "purchase-order-webhook.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        {{- include "purchase-order-webhook.containerSecurity" . | nindent 8 }}
      env:
        {{- include "purchase-order-webhook.env" . | nindent 8 }}
      ports:
        - name: http
          containerPort: 8080
          protocol: TCP
        - name: management
          containerPort: 9090
          protocol: TCP
      # Enough to open a large ledger, also after a crash, and longer than ledger.start_timeout, for which a start waits for its database.
      startupProbe:
        httpGet:
          path: /readyz
          port: management
        periodSeconds: 2
        failureThreshold: {{ include "purchase-order-webhook.startupLooks" . }}
      readinessProbe:
        httpGet:
          path: /readyz
          port: management
        periodSeconds: 5
        timeoutSeconds: 2
      livenessProbe:
        httpGet:
          path: /livez
          port: management
        timeoutSeconds: 5
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      # Whole folders, never a subPath: a file mounted by subPath does not change.
      volumeMounts:
        # Not on /etc/purchase-order-webhook: that mount would hide the image's own mapping.
        - name: config
          mountPath: /etc/purchase-order-webhook/config
          readOnly: true
        {{- if .Values.mapping.files }}
        - name: mapping
          mountPath: {{ .Values.config.mapping.directory }}
          readOnly: true
        {{- end }}
        - name: secrets
          mountPath: /run/secrets/purchase-order-webhook
          readOnly: true
        {{- if not (include "purchase-order-webhook.database" .) }}
        - name: data
          mountPath: /var/lib/purchase-order-webhook
        {{- end }}
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: config
      configMap:
        name: {{ $fullname }}
    {{- with .Values.mapping.files }}
    - name: mapping
      configMap:
        name: {{ $fullname }}-mapping
        items:
          {{- range $path, $_ := . }}
          - key: {{ include "purchase-order-webhook.mappingKey" $path | quote }}
            path: {{ $path | quote }}
          {{- end }}
    {{- end }}
    - name: secrets
      projected:
        # The pod's group can read them; nobody can write them.
        defaultMode: 0440
        sources:
          {{- include "purchase-order-webhook.secretSources" . | nindent 10 }}
    # For SQLite's temporary files (large sorts, VACUUM): the root file system is read-only.
    - name: tmp
      emptyDir: {}
{{- end }}

{{/* Where pods run. Replicas are spread as far as that is possible. */}}
{{- define "purchase-order-webhook.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else if include "purchase-order-webhook.database" . }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "purchase-order-webhook.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Kubernetes' standard "restricted". */}}
{{- define "purchase-order-webhook.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
{{- /* Without it, a large volume's files would be given to the group one by one at each start. */}}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "purchase-order-webhook.containerSecurity" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
{{- end }}

{{- define "purchase-order-webhook.env" -}}
- name: PO_WEBHOOK_CONFIG
  value: /etc/purchase-order-webhook/config/config.toml
{{- if include "purchase-order-webhook.clientSecret" . }}
- name: PO_WEBHOOK_TARGET__OAUTH2__CLIENT_SECRET_FILE
  value: /run/secrets/purchase-order-webhook/target-client-secret
{{- end }}
{{- if include "purchase-order-webhook.database" . }}
- name: PO_WEBHOOK_LEDGER__URL_FILE
  value: /run/secrets/purchase-order-webhook/ledger-url
{{- end }}
{{- range .Values.secrets.settings }}
- name: PO_WEBHOOK_{{ .setting | upper | replace "." "__" }}_FILE
  value: /run/secrets/purchase-order-webhook/settings/{{ .setting }}
{{- end }}
{{- with .Values.env }}
{{- range . }}
{{- if hasPrefix "PO_WEBHOOK_" .name }}
{{- fail (printf "env: %s: settings belong under config, and secret ones under secrets.settings" .name) }}
{{- end }}
{{- end }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "purchase-order-webhook.secretSources" -}}
{{- with include "purchase-order-webhook.clientSecret" . }}
- secret:
    name: {{ . }}
    items:
      - key: {{ $.Values.secrets.targetClientSecret.key }}
        path: target-client-secret
{{- end }}
{{- range .Values.secrets.settings }}
- secret:
    name: {{ .secretName }}
    items:
      - key: {{ .key }}
        path: settings/{{ .setting }}
{{- end }}
{{- range .Values.secrets.files }}
- secret:
    name: {{ .secretName }}
    items:
      - key: {{ .key }}
        path: {{ .path }}
{{- end }}
{{- with .Values.secrets.ledgerUrl }}
{{- if .secretName }}
- secret:
    name: {{ .secretName }}
    items:
      - key: {{ .key }}
        path: ledger-url
{{- end }}
{{- end }}
{{- end }}

{{/* The name of the Secret with the client secret for 11VMS; empty if the service authenticates without one, or finds it elsewhere. */}}
{{- define "purchase-order-webhook.clientSecret" -}}
{{- $oauth2 := .Values.config.target.oauth2 }}
{{- $usual := ternary "none" "basic" (eq ($oauth2.grant | default "") "jwt_bearer") }}
{{- $elsewhere := hasKey $oauth2 "client_secret_file" }}
{{- range .Values.secrets.settings }}
{{- if eq .setting "target.oauth2.client_secret" }}{{ $elsewhere = true }}{{ end }}
{{- end }}
{{- if and (has ($oauth2.auth | default $usual) (list "basic" "post")) (not $elsewhere) }}
{{- required "secrets.targetClientSecret.secretName: required, the name of the Secret that holds the client secret for 11VMS" .Values.secrets.targetClientSecret.secretName }}
{{- end }}
{{- end }}
