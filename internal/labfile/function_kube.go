package labfile

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// maxDecoded bounds what the decoding functions take: what an object holds may be anybody's.
const maxDecoded = 64 << 10

// kubeFunctions are those that speak of Kubernetes' own forms of value.
func kubeFunctions() map[string]function.Function {
	return map[string]function.Function{
		"base64decode": textFunc(cty.String, decodeBase64),
		"ceil":         stdlib.CeilFunc,
		"condition":    objectFunc(conditionIs, function.Parameter{Name: "type", Type: cty.String}),
		"floor":        stdlib.FloorFunc,
		"jsondecode":   textFunc(cty.DynamicPseudoType, decodeJSON),
		"owned_by":     objectFunc(ownedBy, function.Parameter{Name: "kind", Type: cty.String}, function.Parameter{Name: "name", Type: cty.String}),
		"percent":      percentFunc(),
		"quantity":     quantityFunc(),
		"ready":        objectFunc(ready),
		"requests":     requestsFunc(),
		"rolled_out":   objectFunc(rolledOut),
		"x509":         textFunc(certificateType, decodeCertificate),
		"yamldecode":   textFunc(cty.DynamicPseudoType, decodeYAML),
	}
}

// textFunc is a function of one bounded text.
func textFunc(t cty.Type, decode func(string) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(t),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text := args[0].AsString()
			if len(text) > maxDecoded {
				return cty.NilVal, function.NewArgErrorf(0, "it is longer than %d KiB", maxDecoded>>10)
			}
			v, err := decode(text)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return v, nil
		},
	})
}

func decodeBase64(text string) (cty.Value, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err == nil && !utf8.Valid(raw) {
		err = fmt.Errorf("what it encodes is not text")
	}
	return cty.StringVal(string(raw)), err
}

func decodeJSON(text string) (cty.Value, error) {
	if err := nested([]byte(text)); err != nil {
		return cty.NilVal, err
	}
	return stdlib.JSONDecode(cty.StringVal(text))
}

func decodeYAML(text string) (cty.Value, error) {
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return cty.NilVal, err
	}
	return decodeJSON(string(raw))
}

// nested refuses JSON that is nested deeper than a lab file may be.
func nested(text []byte) error {
	depth := 0
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil //nolint:nilerr // the decoding proper says it
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > MaxNesting {
				return fmt.Errorf("it is nested more than %d deep", MaxNesting)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// certificateType is what x509 returns of the first certificate in a text of PEM blocks, and how many there are.
var certificateType = cty.Object(map[string]cty.Type{
	"subject_cn": cty.String, "subject_o": cty.List(cty.String), "issuer_cn": cty.String,
	"dns_names": cty.List(cty.String), "ip_addresses": cty.List(cty.String),
	"not_before": cty.String, "not_after": cty.String, "is_ca": cty.Bool, "self_signed": cty.Bool, "count": cty.Number,
})

func decodeCertificate(text string) (cty.Value, error) {
	var first *x509.Certificate
	count := 0
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if count++; first != nil {
			continue
		}
		var err error
		if first, err = x509.ParseCertificate(block.Bytes); err != nil {
			return cty.NilVal, err
		}
	}
	if first == nil {
		return cty.NilVal, fmt.Errorf("it has no certificate in PEM form")
	}
	list := func(texts []string) cty.Value {
		var values []cty.Value
		for _, t := range texts {
			values = append(values, cty.StringVal(strings.ToValidUTF8(t, "\uFFFD")))
		}
		if values == nil {
			return cty.ListValEmpty(cty.String)
		}
		return cty.ListVal(values)
	}
	var addresses []string
	for _, ip := range first.IPAddresses {
		addresses = append(addresses, ip.String())
	}
	moment := func(t time.Time) cty.Value { return cty.StringVal(t.UTC().Format(time.RFC3339)) }
	name := func(s string) cty.Value { return cty.StringVal(strings.ToValidUTF8(s, "\uFFFD")) }
	return cty.ObjectVal(map[string]cty.Value{
		"subject_cn": name(first.Subject.CommonName), "subject_o": list(first.Subject.Organization), "issuer_cn": name(first.Issuer.CommonName),
		"dns_names": list(first.DNSNames), "ip_addresses": list(addresses),
		"not_before": moment(first.NotBefore), "not_after": moment(first.NotAfter), "is_ca": cty.BoolVal(first.BasicConstraintsValid && first.IsCA),
		"self_signed": cty.BoolVal(bytes.Equal(first.RawIssuer, first.RawSubject) && first.CheckSignature(first.SignatureAlgorithm, first.RawTBSCertificate, first.Signature) == nil),
		"count":       cty.NumberIntVal(int64(count)),
	}), nil
}

// amount reads a number or a quantity in Kubernetes' form: "500m", "1Gi", 2.
func amount(v cty.Value) (cty.Value, error) {
	v, _ = v.Unmark()
	switch {
	case v.IsNull():
		return cty.NilVal, fmt.Errorf("it is null")
	case v.Type() == cty.Number:
		return v, nil
	case v.Type() != cty.String:
		return cty.NilVal, fmt.Errorf("a text or a number is needed")
	}
	// Written out, a number with an exponent of nine digits fills the memory.
	const longest = 64
	if _, exponent, _ := strings.Cut(strings.ToLower(v.AsString()), "e"); len(v.AsString()) > longest || len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return cty.NilVal, fmt.Errorf("it is no quantity such as 500m or 1Gi")
	}
	q, err := resource.ParseQuantity(v.AsString())
	if err != nil {
		return cty.NilVal, fmt.Errorf("%q is no quantity such as 500m or 1Gi", v.AsString())
	}
	return cty.ParseNumberVal(q.AsDec().String())
}

// quantityFunc is quantity(value): the number that a quantity means, so that "0.5" and "500m" are the same.
func quantityFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := amount(args[0])
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return v, nil
		},
	})
}

// percentFunc is percent(value, total): a number as it is, "25%" as that part of total, not rounded: Kubernetes rounds
// maxSurge up and maxUnavailable down.
func percentFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}, {Name: "total", Type: cty.Number}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, _ := args[0].Unmark()
			if v.IsNull() || v.Type() != cty.String && v.Type() != cty.Number {
				return cty.NilVal, function.NewArgErrorf(0, "a number or a percentage is needed")
			}
			if v.Type() == cty.Number {
				return v, nil
			}
			number, is := strings.CutSuffix(v.AsString(), "%")
			part, err := cty.ParseNumberVal(number)
			if err != nil {
				return cty.NilVal, function.NewArgErrorf(0, "%q is neither a number nor a percentage", v.AsString())
			}
			if !is {
				return part, nil
			}
			return part.Multiply(args[1]).Divide(cty.NumberIntVal(100)), nil
		},
	})
}
