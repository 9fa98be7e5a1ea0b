#!/bin/sh
kubectl patch deployment greeter -n hello --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe/httpGet/path","value":"/"}]'
