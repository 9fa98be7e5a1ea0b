#!/bin/bash
kubectl create namespace house
