{{- define "skbspan.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "skbspan.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "skbspan.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "skbspan.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "skbspan.selectorLabels" -}}
app.kubernetes.io/name: {{ include "skbspan.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "skbspan.labels" -}}
{{ include "skbspan.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "skbspan.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "skbspan.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "skbspan.priorityClassName" -}}
{{- if .Values.priorityClass.name }}
{{- .Values.priorityClass.name }}
{{- else if .Values.priorityClass.create }}
{{- include "skbspan.fullname" . }}
{{- end }}
{{- end }}

{{- define "skbspan.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* The configuration file: what the user chose, and what the chart decides. */ -}}
{{- define "skbspan.configuration" -}}
{{- $options := dict "listen" (printf "%s:%v" .Values.server.host .Values.server.port) }}
{{- $_ := set $options "kubernetes" (ternary "on" "off" .Values.kubernetes.enabled) }}
{{- $_ := set $options "far_ends" .Values.kubernetes.farEnds }}
{{- if .Values.sessions.enabled }}
{{- $_ := set $options "sessions" true }}
{{- end }}
{{- if .Values.server.tlsSecret }}
{{- $_ := set $options "listen_certificate" "/etc/skbspan/tls/tls.crt" }}
{{- $_ := set $options "listen_key" "/etc/skbspan/tls/tls.key" }}
{{- end }}
{{- if .Values.server.tokenSecret.name }}
{{- $_ := set $options "listen_token_file" "/etc/skbspan/token/token" }}
{{- end }}
{{- toYaml (merge $options .Values.options) }}
{{- end }}

{{- define "skbspan.probe" -}}
httpGet:
  path: {{ .path }}
  port: server
  {{- if .Values.server.tlsSecret }}
  scheme: HTTPS
  {{- end }}
{{ toYaml .probe }}
{{- end }}

{{- /* What cannot work together, said before anything is installed. */ -}}
{{- define "skbspan.check" -}}
{{- if not .Values.otlp.endpoint }}
{{- fail "otlp.endpoint has to be given: where the traces go, such as http://opentelemetry-collector.observability:4317" }}
{{- end }}
{{- if and .Values.otlp.certificateAuthority.secretName .Values.otlp.certificateAuthority.configMapName }}
{{- fail "otlp.certificateAuthority has both a secretName and a configMapName: give one of them" }}
{{- end }}
{{- if and .Values.server.tokenSecret.name (not .Values.server.tlsSecret) }}
{{- fail "server.tokenSecret needs server.tlsSecret: a token is taken over TLS only" }}
{{- end }}
{{- if and .Values.podMonitor.enabled (not (and .Values.server.tlsSecret .Values.server.tokenSecret.name)) }}
{{- fail "podMonitor.enabled needs server.tlsSecret and server.tokenSecret.name: metrics are for who shows the token over TLS" }}
{{- end }}
{{- end }}
