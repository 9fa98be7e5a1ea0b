package ec2

import "time"

// PricesAsOf is when the table was written. AWS changes its prices rarely and mostly downwards, but
// it does: labctl shows the date with every price.
const PricesAsOf = "2025-06-01"

// Price is what a host costs by labctl's table, in US dollars without taxes.
type Price struct {
	Instance float64 // an hour of the instance, on demand, Linux
	Address  float64 // an hour of its public IPv4 address
	Disk     float64 // an hour of its gp3 disk
	// Surplus is what an hour may cost on top when a burstable type runs above its baseline for long
	// (T instances start in unlimited mode).
	Surplus float64
}

// Hour is what an hour costs while the instance runs, without the surplus.
func (p Price) Hour() float64 { return p.Instance + p.Address + p.Disk }

// What does not depend on the type.
const (
	addressHour   = 0.005
	hoursPerMonth = 730
	surplusVCPU   = 0.05
)

// PriceOf looks up an instance type with a disk of that size; ok is false where the table has no such
// type or region. The disk alone is priced where the region is known.
func PriceOf(region, instanceType string, diskGiB int) (price Price, ok bool) {
	r, ok := regionPrices()[region]
	if !ok {
		return Price{}, false
	}
	price = Price{Address: addressHour, Disk: r.gibMonth * float64(diskGiB) / hoursPerMonth}
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
}

// regionPrices is AWS's public price list for Linux on demand. Within a family the price goes with
// the size, so that of "large" stands for all.
func regionPrices() map[string]regional {
	us := map[string]float64{"t3": 0.0832, "t3a": 0.0752, "m5": 0.096, "m5a": 0.086, "m6i": 0.096, "m6a": 0.0864, "m7i": 0.1008, "c5": 0.085, "c6i": 0.085, "c6a": 0.0765, "r5": 0.126}
	return map[string]regional{
		"us-east-1":      {0.08, us},
		"us-east-2":      {0.08, us},
		"us-west-2":      {0.08, us},
		"ca-central-1":   {0.088, map[string]float64{"t3": 0.0928, "t3a": 0.0835, "m5": 0.107, "m6i": 0.107}},
		"eu-west-1":      {0.088, map[string]float64{"t3": 0.0912, "t3a": 0.0816, "m5": 0.107, "m6i": 0.107, "c5": 0.096}},
		"eu-west-2":      {0.0928, map[string]float64{"t3": 0.0944, "t3a": 0.085, "m5": 0.111, "m6i": 0.111, "c5": 0.101}},
		"eu-west-3":      {0.0928, map[string]float64{"t3": 0.0944, "t3a": 0.085, "m5": 0.112, "m6i": 0.112, "c5": 0.101}},
		"eu-central-1":   {0.0952, map[string]float64{"t3": 0.096, "t3a": 0.0864, "m5": 0.115, "m6i": 0.115, "c5": 0.097}},
		"eu-north-1":     {0.0836, map[string]float64{"t3": 0.0864, "m5": 0.102, "m6i": 0.102, "c5": 0.091}},
		"ap-south-1":     {0.0912, map[string]float64{"t3": 0.0896, "t3a": 0.0493, "m5": 0.101, "m6i": 0.101, "c5": 0.085}},
		"ap-south-2":     {0.0912, map[string]float64{"t3": 0.0896, "m5": 0.101, "m6i": 0.101, "c5": 0.085}},
		"ap-southeast-1": {0.096, map[string]float64{"t3": 0.1056, "t3a": 0.0944, "m5": 0.12, "m6i": 0.12, "c5": 0.098}},
		"ap-southeast-2": {0.096, map[string]float64{"t3": 0.1056, "t3a": 0.0952, "m5": 0.12, "m6i": 0.12, "c5": 0.111}},
		"ap-northeast-1": {0.096, map[string]float64{"t3": 0.1088, "t3a": 0.0979, "m5": 0.124, "m6i": 0.124, "c5": 0.107}},
		"ap-northeast-2": {0.0912, map[string]float64{"t3": 0.104, "t3a": 0.0936, "m5": 0.118, "m6i": 0.118, "c5": 0.096}},
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
}

// Cost reckons from the state what the host costs and has cost. It asks nobody.
func (h *Host) Cost() Cost { return CostOf(*h.State, h.Clock.Now()) }

// CostOf reckons what a host costs and has cost at a time, from what is remembered of it.
func CostOf(s HostState, now time.Time) Cost {
	price, known := PriceOf(s.Region, s.Type, s.Disk)
	cost := Cost{AsOf: PricesAsOf, Known: known}
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
