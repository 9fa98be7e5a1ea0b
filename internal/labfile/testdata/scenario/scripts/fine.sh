#!/bin/bash -e
kubectl get pods
