package ec2

import "time"

// PricesAsOf is when the newest source of the table was made (see regionPrices). AWS changes its prices
// rarely and mostly downwards, but it does: labctl shows the date with every price.
const PricesAsOf = "2026-01-19"

// Price is what a host costs by labctl's table, in US dollars without taxes.
type Price struct {
	Instance float64 // an hour of the instance, on demand, Linux
	Address  float64 // an hour of its public IPv4 address
	Disk     float64 // an hour of its gp3 disk
	// Surplus is what an hour may cost on top when a burstable type runs above its baseline for long
	// (T instances start in unlimited mode).
	Surplus float64
	// Estimate: the region's prices were not looked up, see regionPrices.
	Estimate bool
}

// String is what an hour costs as it is shown to people: "$0.0983/h", "about $0.0983/h (an estimate)".
func (p Price) String() string {
	if p.Estimate {
		return "about " + money(p.Hour()) + "/h (an estimate)"
	}
	return money(p.Hour()) + "/h"
}

// Hour is what an hour costs while the instance runs, without the surplus.
func (p Price) Hour() float64 { return p.Instance + p.Address + p.Disk }

// What does not depend on region and type.
const (
	addressHour   = 0.005 // every public IPv4 address, in use or not, since 2024-02-01: https://aws.amazon.com/vpc/pricing/
	hoursPerMonth = 730
	surplusVCPU   = 0.05 // T3 on Linux, all regions: https://aws.amazon.com/ec2/pricing/on-demand/, "CPU Credits"
)

// PriceOf looks up an instance type with a disk of that size; ok is false where the table has no such
// type or region. The disk alone is priced where the region is known.
func PriceOf(region, instanceType string, diskGiB int) (price Price, ok bool) {
	r, ok := regionPrices()[region]
	if !ok {
		return Price{}, false
	}
	price = Price{Address: addressHour, Disk: r.gibMonth * float64(diskGiB) / hoursPerMonth, Estimate: r.estimate}
	price.Instance, ok = r.large[family(instanceType)]
	if !ok {
		return price, false
	}
	factor, ok := sizes()[size(instanceType)]
	price.Instance *= factor
	if burstable(instanceType) {
		price.Surplus = surplusVCPU * vcpus(instanceType)
	}
	return price, ok
}

// regional is the prices of one region: a GiB-month of gp3, and an hour of each family's size large.
type regional struct {
	gibMonth float64
	large    map[string]float64
	// estimate: nobody has looked these up; they are a neighbouring region's.
	estimate bool
}

// regionPrices are Linux on demand, shared tenancy. Within a family the price goes with the size, so that of
// "large" stands for all. An instance type or region that is not here is unknown, and unknown is asked about.
//
// Where they are from: those of us-east-1 are AWS's price list as karpenter-provider-aws carries it,
// generated 2026-01-19 (pkg/providers/pricing/zz_generated.pricing_aws.go); those of the other regions are
// AWS's price list as skypilot-org/skypilot-catalog carries it (catalogs/v7/aws/vms.csv, commit 27f67dd);
// gp3 is https://aws.amazon.com/ebs/pricing/ of July 2021, unchanged where later tables name it. ap-south-2 is
// in none of them: it stands here as an estimate because labctl's own lab names it, with what its
// neighbour ap-south-1 costs.
func regionPrices() map[string]regional {
	us := map[string]float64{"t3": 0.0832, "t3a": 0.0752, "m5": 0.096}
	return map[string]regional{
		"us-east-1": {gibMonth: 0.08, large: map[string]float64{
			"t3": 0.0832, "t3a": 0.0752, "t4g": 0.0672, "m5": 0.096, "m5a": 0.086, "m6i": 0.096, "m6a": 0.0864, "m6g": 0.077,
			"m7i": 0.1008, "m7i-flex": 0.09576, "m7g": 0.0816, "c5": 0.085, "c6i": 0.085, "c6a": 0.0765, "c7i": 0.08925, "r5": 0.126,
		}},
		"us-east-2":      {gibMonth: 0.08, large: us},
		"us-west-1":      {gibMonth: 0.096, large: map[string]float64{"t3": 0.0992, "t3a": 0.0893, "m5": 0.112}},
		"us-west-2":      {gibMonth: 0.08, large: us},
		"ca-central-1":   {gibMonth: 0.088, large: map[string]float64{"t3": 0.0928, "t3a": 0.0835, "m5": 0.107}},
		"eu-west-1":      {gibMonth: 0.088, large: map[string]float64{"t3": 0.0912, "t3a": 0.0816, "m5": 0.107}},
		"eu-west-2":      {gibMonth: 0.0928, large: map[string]float64{"t3": 0.0944, "t3a": 0.085, "m5": 0.111}},
		"eu-west-3":      {gibMonth: 0.0928, large: map[string]float64{"t3": 0.0944, "t3a": 0.085, "m5": 0.112}},
		"eu-central-1":   {gibMonth: 0.0952, large: map[string]float64{"t3": 0.096, "t3a": 0.0864, "m5": 0.115}},
		"eu-north-1":     {gibMonth: 0.0836, large: map[string]float64{"t3": 0.0864, "m5": 0.102}},
		"eu-south-1":     {gibMonth: 0.0924, large: map[string]float64{"t3": 0.0958, "t3a": 0.0862, "m5": 0.112}},
		"af-south-1":     {gibMonth: 0.1047, large: map[string]float64{"t3": 0.1085, "m5": 0.127}},
		"ap-east-1":      {gibMonth: 0.1056, large: map[string]float64{"t3": 0.1168, "m5": 0.132}},
		"ap-south-1":     {gibMonth: 0.0912, large: map[string]float64{"t3": 0.0896, "t3a": 0.0493, "m5": 0.101}},
		"ap-south-2":     {gibMonth: 0.0912, large: map[string]float64{"t3": 0.0896, "m5": 0.101}, estimate: true},
		"ap-southeast-1": {gibMonth: 0.096, large: map[string]float64{"t3": 0.1056, "t3a": 0.0944, "m5": 0.12}},
		"ap-southeast-2": {gibMonth: 0.096, large: map[string]float64{"t3": 0.1056, "t3a": 0.095, "m5": 0.12}},
		"ap-northeast-1": {gibMonth: 0.096, large: map[string]float64{"t3": 0.1088, "t3a": 0.0979, "m5": 0.124}},
		"ap-northeast-2": {gibMonth: 0.0912, large: map[string]float64{"t3": 0.104, "t3a": 0.0936, "m5": 0.118}},
		"ap-northeast-3": {gibMonth: 0.096, large: map[string]float64{"t3": 0.1088, "m5": 0.124}},
	}
}

// sizes are what a size costs in terms of "large".
func sizes() map[string]float64 {
	return map[string]float64{"medium": 0.5, "large": 1, "xlarge": 2, "2xlarge": 4}
}

// Cost is what a host costs, in US dollars without taxes.
type Cost struct {
	PerHour float64 `json:"per_hour_usd"` // at this moment: of a stopped host the disk alone
	Spent   float64 `json:"spent_usd"`
	AsOf    string  `json:"prices_of"`
	// Known is false where the table lacks the type or the region; the figures are then zero.
	Known bool `json:"known"`
	// Estimate: the region's prices are a neighbour's.
	Estimate bool `json:"estimate,omitempty"`
}

// Cost reckons from the state what the host costs and has cost. It asks nobody.
func (h *Host) Cost() Cost { return CostOf(*h.State, h.now()) }

// CostOf reckons what a host costs and has cost at a time, from what is remembered of it.
func CostOf(s HostState, now time.Time) Cost {
	price, known := PriceOf(s.Region, s.Type, s.Disk)
	cost := Cost{AsOf: PricesAsOf, Known: known, Estimate: known && price.Estimate}
	if !known || s.InstanceID == "" {
		return cost
	}
	if !s.Stopped.IsZero() {
		cost.PerHour = price.Disk
		cost.Spent = s.Paid + price.Disk*hours(now.Sub(s.Stopped))
		return cost
	}
	cost.PerHour = price.Hour()
	cost.Spent = s.Paid + price.Hour()*hours(now.Sub(s.Launched))
	return cost
}

func hours(d time.Duration) float64 { return max(0, d.Hours()) }
