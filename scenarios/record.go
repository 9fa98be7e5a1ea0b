package scenarios

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/labctl/labctl/internal/clierr"
	"github.com/labctl/labctl/internal/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// recordNamespace holds the labs' records; see the package's comment.
const recordNamespace = "kube-system"

// recordVersion is the version of the record's form. In version 1 the key of an object lacked its namespace. A
// newer one is not touched, not even by a reset: it may say what else is to be undone.
const recordVersion = 2

// record is what the cluster could not say later about one scenario. It is one key, the scenario's
// name, of the lab's ConfigMap.
type record struct {
	Version int `json:"version"`
	// Begun is when seeding began, by the API server's clock. It is written before the first
	// object is made, so that a seeding cut short is known as such.
	Begun time.Time `json:"begun"`
	// Objects are the seeded ones by their key.
	Objects map[string]seeded `json:"objects,omitempty"`
	// Before are the objects that a task's conditions, or its clears, named when it was begun, key to UID. They are not
	// the learner's work.
	Before map[string]string `json:"before,omitempty"`
	// Steps is how many of the seed's steps were taken.
	Steps int `json:"steps,omitempty"`
	// Complete: all objects were made, and all steps taken.
	Complete bool `json:"complete,omitempty"`
	// Proven is when the symptom was seen first; nil until then.
	Proven    *time.Time `json:"proven,omitempty"`
	Sightings []sighting `json:"latches,omitempty"`
	// Answers are what the learner has typed, by the names of the scenario's answers.
	Answers map[string][]string `json:"answers,omitempty"`
	// Removing: a reset has begun to remove the objects. It is written before the first is removed:
	// what is missing then was not removed by the learner, and the next Apply goes on with the reset.
	Removing bool `json:"removing,omitempty"`
}

// seeded is one object as it was when it was made.
type seeded struct {
	Kind      string    `json:"kind"` // "Deployment.apps"
	Namespace string    `json:"namespace,omitempty"`
	Name      string    `json:"name"`
	UID       string    `json:"uid"`
	Spec      string    `json:"spec"` // specHash
	Time      time.Time `json:"time"`
}

func seededFrom(obj *unstructured.Unstructured) seeded {
	return seeded{
		Kind: kube.QualifiedKind(obj), Namespace: obj.GetNamespace(), Name: obj.GetName(),
		UID: string(obj.GetUID()), Spec: specHash(obj), Time: obj.GetCreationTimestamp().UTC(),
	}
}

func (r *record) sightings() sightings {
	set := sightings{}
	if r != nil {
		for _, l := range r.Sightings {
			set[l] = true
		}
	}
	return set
}

func recordName(lab string) string { return "labctl-" + lab }

func recordQuery(lab string) kube.Query {
	return kube.Query{Kind: "ConfigMap", Namespace: recordNamespace, Name: recordName(lab)}
}

// readRecord finds a scenario's record in what was seen of the lab's ConfigMap; nil when it has none that can be
// read. kept says that something stands in its place all the same. What is broken, or stands in a ConfigMap
// that is not marked as the lab's, counts as lost: the marks on the objects tell the rest.
func readRecord(u kube.Update, lab, scenario string) (r *record, kept bool, err error) {
	if u.Err != nil {
		return nil, false, u.Err
	}
	if !u.Synced {
		return nil, false, fmt.Errorf("the record of lab %s: not seen yet", lab)
	}
	if len(u.Objects) == 0 {
		return nil, false, nil
	}
	cm := u.Objects[0]
	text, kept, _ := unstructured.NestedString(cm.Object, "data", scenario)
	if !kept || !(kube.Ownership{Lab: lab}).On(cm.GetLabels()) {
		return nil, kept, nil
	}
	var head struct{ Version int }
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		return nil, true, nil //nolint:nilerr // broken is lost
	}
	if head.Version > recordVersion {
		return nil, true, clierr.New(clierr.Refused, "the record of %s was written by a newer labctl (version %d, this one knows %d)", scenario, head.Version, recordVersion).
			WithNext("Use that labctl. Or give up what it remembers, `labctl kubectl -- -n %s delete configmap %s`: labctl then goes by the marks on the objects.", recordNamespace, recordName(lab))
	}
	return parseRecord(text), true, nil
}

// parseRecord returns nil when the text is no whole record.
func parseRecord(text string) *record {
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Version < 1 || r.Begun.IsZero() {
		return nil
	}
	objects := make(map[string]seeded, len(r.Objects))
	for k, o := range r.Objects {
		if o.Kind == "" || o.Name == "" {
			return nil
		}
		if r.Version == 1 {
			k = keyOf(o.Kind, o.Namespace, o.Name)
		}
		objects[k] = o
	}
	r.Objects = objects
	return &r
}

// writeRecord stores the scenario's record: in the cluster, or on a node where the scenario takes the API server away.
func (sc *compiled) writeRecord(ctx context.Context, c *kube.Client, r *record) error {
	if !sc.s.TakesAPI() {
		return writeRecord(ctx, c, sc.lab, sc.s.Name, r)
	}
	r.Version = recordVersion
	text, err := json.Marshal(r)
	if err == nil {
		_, err = sc.changeNode(ctx, recordNode, "record the state of "+sc.s.Name, "keep", base64.StdEncoding.EncodeToString(text))
	}
	return err
}

// dropRecord removes the scenario's record from where writeRecord stores it.
func (sc *compiled) dropRecord(ctx context.Context, c *kube.Client) error {
	if !sc.s.TakesAPI() {
		return dropRecord(ctx, c, sc.lab, sc.s.Name)
	}
	_, err := sc.changeNode(ctx, recordNode, "remove the record of "+sc.s.Name, "drop")
	return err
}

// writeRecord stores a scenario's record, beside those of the lab's other scenarios.
func writeRecord(ctx context.Context, c *kube.Client, lab, scenario string, r *record) error {
	r.Version = recordVersion
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("recording the state of %s: %w", scenario, err)
	}
	data := map[string]any{scenario: string(text)}
	patch := map[string]any{"data": data, "metadata": map[string]any{"labels": map[string]any{kube.LabelLab: lab}}}
	return kube.Retry(ctx, kube.Starting, func(ctx context.Context) error {
		_, err := c.Merge(ctx, "ConfigMap", recordNamespace, recordName(lab), patch)
		if !apierrors.IsNotFound(err) {
			return err
		}
		cm := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "data": data,
			"metadata": map[string]any{"name": recordName(lab), "namespace": recordNamespace},
		}}
		_, created, err := c.Create(ctx, cm, kube.Ownership{Lab: lab})
		if err != nil || created {
			return err
		}
		_, err = c.Merge(ctx, "ConfigMap", recordNamespace, recordName(lab), patch)
		return err
	})
}

// dropRecord removes a scenario's record, and the lab's ConfigMap with the last one.
func dropRecord(ctx context.Context, c *kube.Client, lab, scenario string) error {
	live, err := c.Merge(ctx, "ConfigMap", recordNamespace, recordName(lab), map[string]any{"data": map[string]any{scenario: nil}})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("dropping the record of %s: %w", scenario, err)
	}
	if left, _, _ := unstructured.NestedMap(live.Object, "data"); len(left) > 0 {
		return nil
	}
	// Another scenario's record may come between: then it stays.
	return c.DeleteUnchanged(ctx, live)
}

func isUnknownKind(err error) bool {
	var unknown *kube.KindError
	return errors.As(err, &unknown)
}

// adopt makes a record of objects that carry our marks when the record itself was lost. They may
// have been worked on since, so that nothing may be seeded over them. What was asked for at first is not known
// of those that somebody has written to. Where there are none, but nodes say that something was done to them, that was
// begun by now at the latest.
func adopt(ours []*unstructured.Unstructured, now time.Time) *record {
	r := &record{Objects: map[string]seeded{}, Complete: true}
	for _, o := range ours {
		was := seededFrom(o)
		if rewritten(o) {
			was.Spec = ""
		}
		r.Objects[key(o)] = was
		if t := o.GetCreationTimestamp().UTC(); r.Begun.IsZero() || t.Before(r.Begun) {
			r.Begun = t
		}
	}
	if r.Begun.IsZero() {
		r.Begun = now
	}
	return r
}

// ownManagers are the names under which the cluster itself writes to objects.
var ownManagers = []string{kube.FieldManager, "kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"}

// rewritten reports whether somebody has written to what an object asks for since labctl made it.
func rewritten(obj *unstructured.Unstructured) bool {
	for _, f := range obj.GetManagedFields() {
		if f.Subresource != "" || f.FieldsV1 == nil || slices.Contains(ownManagers, f.Manager) {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal(f.FieldsV1.Raw, &fields); err != nil || len(without(fields, "f:metadata", "f:status")) > 0 {
			return true
		}
	}
	return false
}
