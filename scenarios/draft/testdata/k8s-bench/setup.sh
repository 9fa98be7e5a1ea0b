#!/usr/bin/env bash
kubectl create namespace kitchen
