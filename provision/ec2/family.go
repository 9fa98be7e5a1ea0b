package ec2

import "strings"

// family is the part of an instance type before the dot: "t3a".
func family(instanceType string) string {
	f, _, _ := strings.Cut(instanceType, ".")
	return f
}

// size is the part after it: "large".
func size(instanceType string) string {
	_, s, _ := strings.Cut(instanceType, ".")
	return s
}

func burstable(instanceType string) bool {
	return strings.HasPrefix(instanceType, "t3") || strings.HasPrefix(instanceType, "t2") || strings.HasPrefix(instanceType, "t4")
}

// vcpus is the number of processors of the sizes that the price table knows.
func vcpus(instanceType string) float64 {
	switch size(instanceType) {
	case "xlarge":
		return 4
	case "2xlarge":
		return 8
	}
	return 2
}
