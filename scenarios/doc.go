// Package scenarios is the engine that seeds, judges and resets exercises, and the catalogue of those that labctl brings
// along. A scenario is data (scenario.hcl, manifests); this package gives its conditions their
// meaning. It runs no shell: solutions and wrong fixes are run by whoever has one.
//
// Where a scenario stands is read off the cluster each time, never remembered by labctl. What the
// cluster cannot say later (which UIDs were seeded, that a symptom was once seen) is recorded when
// it is known, in the ConfigMap labctl-<lab> in kube-system: in the cluster, so that it lives and
// dies with it, and not in the learner's namespace, so that this shows the exercise alone. Only
// seeding and resetting write to it; looking never does.
package scenarios
