#!/bin/sh
kubectl apply -f greeter.yaml
sysctl -w net.ipv4.ip_forward=0
