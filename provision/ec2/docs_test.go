package ec2

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// guide is docs/ec2.md.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/ec2.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGuideHasThePolicy: what people give to their administrator is what labctl was tested with.
func TestGuideHasThePolicy(t *testing.T) {
	if !strings.Contains(guide(t), "```json\n"+Policy()+"\n```\n") {
		t.Errorf("docs/ec2.md does not contain the policy as it is:\n%s", Policy())
	}
}

// TestGuideHasThePrices: the guide's table is the program's.
func TestGuideHasThePrices(t *testing.T) {
	const disk = 30
	table := "| region | t3.large, an hour | four hours | t3a.large, an hour | stopped, a day |\n|---|---|---|---|---|\n"
	for _, region := range slices.Sorted(maps.Keys(regionPrices())) {
		large, ok := PriceOf(region, "t3.large", disk)
		if !ok {
			t.Fatalf("t3.large has no price in %s", region)
		}
		name, amd := region, "not known"
		if large.Estimate {
			name += " (an estimate)"
		}
		if a, ok := PriceOf(region, "t3a.large", disk); ok {
			amd = money(a.Hour())
		}
		table += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", name, money(large.Hour()), dollars(4*large.Hour()), amd, dollars(24*large.Disk))
	}
	text := guide(t)
	if !strings.Contains(text, table) {
		t.Errorf("the table of docs/ec2.md is not\n%s", table)
	}
	if !strings.Contains(text, PricesAsOf) {
		t.Errorf("docs/ec2.md does not say that the prices are of %s", PricesAsOf)
	}
}
