#!/bin/bash
kubectl get configmap keys -n house -o jsonpath={.data.door} | grep -q .
