package scenarios

import (
	"testing"

	"github.com/labctl/labctl/internal/event"
	"github.com/labctl/labctl/provision"
)

const twins = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: web, namespace: shop}, data: {is: shop}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: web}, data: {is: default}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: only}, data: {is: alone}}
`

// TestTwinsInTwoNamespaces: two objects of one kind and name are two.
func TestTwinsInTwoNamespaces(t *testing.T) {
	s := own(t, sight(`kind = "ConfigMap"
      name = "web"
      holds = (self.metadata.uid == seeded["ConfigMap/default/web"].uid
        && self.metadata.uid != seeded["ConfigMap/shop/web"].uid
        && self.data.is == seed["ConfigMap/default/web"].data.is
        && seed["ConfigMap/shop/web"].data.is == "shop"
        && seed["ConfigMap/only"].data.is == seed["ConfigMap/default/only"].data.is
        && !can(seed["ConfigMap/web"]) && !can(seeded["ConfigMap/web"])
        && seeded["Namespace/shop"].uid != "")`), twins)
	b := benchOf(t, s)
	b.controllers()
	if err := b.r.Apply(t.Context(), event.Discard); err != nil {
		t.Fatal(err)
	}
	b.observe(provision.Current)
	sc, client, err := b.r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a := sc.assessNow(t.Context(), client); a.Edited {
		t.Error("what was just seeded counts as edited")
	}
	for _, namespace := range []string{"shop", "default"} {
		cm := b.Get("configmaps", namespace, "web")
		cm.Object["data"] = map[string]any{"is": "changed"}
		b.Put("configmaps", cm)
		if a := sc.assessNow(t.Context(), client); !a.Edited {
			t.Errorf("a change in namespace %s is not seen", namespace)
		}
		if err := b.reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := sc.assessNow(t.Context(), client); a.Edited {
			t.Errorf("after the reset, namespace %s is edited", namespace)
		}
	}
}
