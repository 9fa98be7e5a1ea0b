#!/usr/bin/env bash
if kubectl wait --for=condition=Ready pod/teapot -n kitchen --timeout=20s; then
  exit 0
fi
exit 1
