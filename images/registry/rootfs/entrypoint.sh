#!/bin/sh
# A configuration file alone means "serve it"; a subcommand or a flag goes to the registry; the rest is run as it is.
case "${1:-}" in
*.yml | *.yaml) exec registry serve "$@" ;;
serve | garbage-collect | help | -*) exec registry "$@" ;;
esac
exec "$@"
