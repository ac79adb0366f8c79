{{- define "fedka.name" -}}
{{- if contains "fedka" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-fedka" (.Release.Name | trunc 34 | trimSuffix "-") }}{{ end -}}
{{- end }}

{{- /* ClusterRoles are shared by all namespaces: two releases of one name must not meet in them. */ -}}
{{- define "fedka.clusterName" -}}
{{ .Release.Namespace }}-{{ include "fedka.name" . }}
{{- end }}

{{- define "fedka.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "fedka.name" .) }}
{{- end }}

{{- define "fedka.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "fedka.selector" -}}
app.kubernetes.io/name: fedka
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "fedka.labels" -}}
{{ include "fedka.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* What holds for a Kafka cluster that does not say: the safe choice. */ -}}
{{- define "fedka.protocol" -}}
{{ .securityProtocol | default "SASL_SSL" }}
{{- end }}

{{- define "fedka.identities" -}}
{{ .identities | default (ternary "Scram" "None" (eq (include "fedka.protocol" .) "SASL_SSL")) }}
{{- end }}
