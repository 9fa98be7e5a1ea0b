#!/bin/sh
ready=$(kubectl get deployment greeter -n hello -o jsonpath='{.status.readyReplicas}')
if [ "$ready" = 2 ]; then
  echo "both pods are Ready"
  exit 0
fi
echo "$ready of 2 pods are Ready"
exit 1
