package labfile

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	yamlnode "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// maxDecoded bounds what the decoding functions take: what an object holds may be anybody's.
const maxDecoded = 64 << 10

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

// decodeYAML decodes one document. Its aliases are counted before they are expanded: some of them, each of three bytes,
// stand for gigabytes.
func decodeYAML(text string) (cty.Value, error) {
	var root yamlnode.Node
	decoder := yamlnode.NewDecoder(bytes.NewReader([]byte(text)))
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return cty.NullVal(cty.DynamicPseudoType), nil
	case err != nil:
		return cty.NilVal, err
	}
	switch err := decoder.Decode(new(yamlnode.Node)); {
	case err == nil:
		return cty.NilVal, fmt.Errorf("it has more than one document")
	case !errors.Is(err, io.EOF):
		return cty.NilVal, err
	}
	held := &budget{text: MaxText - maxExpanded}
	if p := held.count(&root, 0); p != nil {
		if p.fatal {
			return cty.NilVal, fmt.Errorf("with its aliases expanded it is larger than %d KiB, or has more than %d keys and values", maxExpanded>>10, MaxValues)
		}
		return cty.NilVal, fmt.Errorf("line %d: %s", p.line, p.detail)
	}
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return cty.NilVal, err
	}
	return decodeJSON(string(raw))
}

// maxExpanded is how much the aliases of a YAML text may make of it.
const maxExpanded = 512 << 10

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
