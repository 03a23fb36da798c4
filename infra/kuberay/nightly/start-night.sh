#!/bin/sh
# Starts tonight's RayJob from the suspended one that kustomize applied, and stays until it ends, so that
# `concurrencyPolicy: Forbid` holds off the next night. Its exit code is the night's.
set -eu
night="nightly-$(date -u +%Y%m%d-%H%M%S)"
change='{"apiVersion":"ray.io/v1","kind":"RayJob","metadata":{"name":"'"$night"'","resourceVersion":null,"uid":null,
"creationTimestamp":null,"generation":null,"annotations":null,"finalizers":null,"managedFields":null},
"spec":{"suspend":false,"jobId":null},"status":null}'
kubectl get rayjob nightly-template -o json >/tmp/template.json
kubectl patch --local -f /tmp/template.json --type=merge -p "$change" -o json >/tmp/night.json
kubectl create -f /tmp/night.json
while :; do
    # A server that does not answer for a moment ends no night: the deadline of the Job bounds this loop.
    state=$(kubectl get rayjob "$night" -o 'jsonpath={.status.jobDeploymentStatus}/{.status.jobStatus}' || echo unknown)
    case "$state" in
    Complete/SUCCEEDED)
        echo "$night: done"
        exit 0
        ;;
    Complete/* | Failed/*)
        echo "$night: $state; the champion is as it was. Its report lies in /vox2/training/nights, its log with the RayJob" >&2
        exit 1
        ;;
    esac
    sleep "${POLL_S:-30}"
done
