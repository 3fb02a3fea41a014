{{/* Everything here takes {root, track}; a track is "stable" or "canary". */}}

{{- define "track.name" -}}
{{ .root.Values.name }}{{ if eq .track "canary" }}-canary{{ end }}
{{- end }}

{{/* What tells one track's pods from the other's. Selectors cannot be changed later, so it holds no value that can. */}}
{{- define "track.selector" -}}
app.kubernetes.io/name: {{ .root.Values.name }}
app.kubernetes.io/component: {{ .track }}
{{- end }}

{{- define "track.labels" -}}
{{ include "track.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* Labels of what both tracks share. */}}
{{- define "service.labels" -}}
app.kubernetes.io/name: {{ .Values.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "service.tracks" -}}
{{ ternary "stable canary" "stable" .Values.canary.enabled }}
{{- end }}

{{- define "track.image" -}}
{{- $digest := .root.Values.image.digest -}}
{{- if eq .track "canary" }}{{ $digest = default $digest .root.Values.canary.image.digest }}{{ end -}}
{{ .root.Values.image.repository }}@{{ $digest }}
{{- end }}

{{- define "track.minReplicas" -}}
{{ eq .track "canary" | ternary .root.Values.canary.minReplicas .root.Values.capacity.minReplicas }}
{{- end }}

{{/* The load of the whole fleet on the stamps that are left; the canary's share of it is its weight. */}}
{{- define "track.maxReplicas" -}}
{{- $capacity := .root.Values.capacity -}}
{{- $left := max 1 (sub $capacity.stamps 1) -}}
{{- $pods := divf $capacity.fleetPodsAtPeak $left | ceil -}}
{{- if eq .track "canary" }}{{ $pods = divf (mulf $pods .root.Values.canary.weight) 100 | ceil }}{{ end -}}
{{ max (int $pods) (include "track.minReplicas" . | int) }}
{{- end }}

{{/* Seconds between SIGTERM and the end of the grace period, less a margin for the process to leave. */}}
{{- define "service.shutdownSeconds" -}}
{{- $left := sub (sub .Values.termination.grace .Values.termination.preStop) 5 -}}
{{- if lt (int $left) 5 }}
{{- fail (printf "termination.grace (%v) must be at least 10 seconds longer than termination.preStop (%v): what is in flight after SIGTERM needs time to finish" .Values.termination.grace .Values.termination.preStop) }}
{{- end -}}
{{ $left }}
{{- end }}

{{- define "service.code" -}}
{{- $files := .Files.Glob (printf "%s/*.py" .Values.code) -}}
{{- if not $files }}
{{- fail (printf "code: expected a folder of the chart with Python files, for example 'region_echo', or 'none', got %q" .Values.code) }}
{{- end -}}
{{ $files.AsConfig }}
{{- end }}
