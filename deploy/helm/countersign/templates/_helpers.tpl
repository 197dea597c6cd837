{{- define "countersign.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* The labels that choose the pods of one component. */}}
{{- define "countersign.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "countersign.labels" -}}
{{ include "countersign.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "countersign.image" -}}
{{- with .root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}countersign-{{ .component }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "countersign.serviceAccount" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.name }}{{ $account.name }}{{ else if $account.create }}{{ include "countersign.fullname" .root }}-{{ .component }}{{ else }}default{{ end }}
{{- end }}

{{- define "countersign.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "countersign.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every process reads. The port of its health is that of its component. */}}
{{- define "countersign.environment" -}}
- name: COUNTERSIGN_CONFIG
  value: /etc/countersign/countersign.toml
- name: COUNTERSIGN_DATA_DIR
  value: /var/lib/countersign
- name: COUNTERSIGN_LOG_FORMAT
  value: {{ .Values.log.format }}
{{- with .Values.log.filter }}
- name: COUNTERSIGN_LOG
  value: {{ . | quote }}
{{- end }}
- name: COUNTERSIGN_RABBITMQ_PASSWORD_FILE
  value: /run/secrets/countersign/rabbitmq/password
- name: COUNTERSIGN_POSTGRESQL_PASSWORD_FILE
  value: /run/secrets/countersign/postgresql/password
{{- end }}

{{/* The volumes of secrets that every process has; .rabbitmq names the one of its own user. */}}
{{- define "countersign.volumes" -}}
- name: config
  configMap:
    name: {{ include "countersign.fullname" .root }}
- name: rabbitmq
  secret:
    secretName: {{ .rabbitmq }}
    defaultMode: 0440
    items: [{key: password, path: password}]
- name: postgresql
  secret:
    secretName: {{ .root.Values.secrets.postgresql }}
    defaultMode: 0440
    items: [{key: password, path: password}]
{{- with .root.Values.secrets.ca }}
- name: ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{- define "countersign.mounts" -}}
- {name: config, mountPath: /etc/countersign, readOnly: true}
- {name: rabbitmq, mountPath: /run/secrets/countersign/rabbitmq, readOnly: true}
- {name: postgresql, mountPath: /run/secrets/countersign/postgresql, readOnly: true}
{{- if .Values.secrets.ca }}
- {name: ca, mountPath: /etc/countersign-ca, readOnly: true}
{{- end }}
{{- end }}

{{/* A Secret is mounted for a group to read and full of links; the custody wants files of its own. Each pod has a copy of the
root, and makes its own leaves under it. */}}
{{- define "countersign.copyKeys" -}}
- name: copy-keys
  image: {{ .Values.initImage }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [sh, -c, "install -d -m 0755 /data/trust && install -d -m 0700 /data/keys && install -m 0600 /secret/root.pem /data/keys/root.pem"]
  securityContext:
    {{- include "countersign.containerSecurity" . | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 32Mi}
  volumeMounts:
    - {name: root-key, mountPath: /secret, readOnly: true}
    - {name: data, mountPath: /data}
{{- end }}

{{- define "countersign.keyVolumes" -}}
- name: root-key
  secret:
    secretName: {{ .Values.secrets.keys }}
    defaultMode: 0440
    items: [{key: root.pem, path: root.pem}]
- name: key-passphrase
  secret:
    secretName: {{ .Values.secrets.keys }}
    defaultMode: 0440
    items: [{key: key-passphrase, path: key-passphrase}]
{{- end }}

{{- define "countersign.probes" -}}
startupProbe:
  httpGet: {path: /live, port: health}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /live, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /ready, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}
