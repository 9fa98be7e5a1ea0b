true
exit 0
