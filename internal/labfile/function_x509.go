package labfile

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
)

// certificateType is what x509 returns of the first certificate in a text of PEM blocks, and how many there are.
var certificateType = cty.Object(map[string]cty.Type{
	"subject_cn": cty.String, "subject_o": cty.List(cty.String), "issuer_cn": cty.String, "serial": cty.String,
	"dns_names": cty.List(cty.String), "ip_addresses": cty.List(cty.String), "key_usage": cty.List(cty.String),
	"not_before": cty.String, "not_after": cty.String, "is_ca": cty.Bool, "self_signed": cty.Bool, "count": cty.Number,
})

// maxRSA bounds the key whose signature is checked: the time that takes grows with the square of its bits, and a
// certificate may be anybody's.
const maxRSA = 16384

func decodeCertificate(text string) (cty.Value, error) {
	first, count, err := certificates([]byte(text))
	if err != nil {
		return cty.NilVal, err
	}
	if key, is := first.PublicKey.(*rsa.PublicKey); is && key.N.BitLen() > maxRSA {
		return cty.NilVal, fmt.Errorf("its key has %d bits, and at most %d are looked at", key.N.BitLen(), maxRSA)
	}
	var addresses []string
	for _, ip := range first.IPAddresses {
		addresses = append(addresses, ip.String())
	}
	moment := func(t time.Time) cty.Value { return cty.StringVal(t.UTC().Format(time.RFC3339)) }
	return cty.ObjectVal(map[string]cty.Value{
		"subject_cn": validText(first.Subject.CommonName), "subject_o": texts(first.Subject.Organization), "issuer_cn": validText(first.Issuer.CommonName),
		"serial":    cty.StringVal(fmt.Sprintf("%X", first.SerialNumber)),
		"dns_names": texts(first.DNSNames), "ip_addresses": texts(addresses), "key_usage": texts(usages(first)),
		"not_before": moment(first.NotBefore), "not_after": moment(first.NotAfter), "is_ca": cty.BoolVal(first.BasicConstraintsValid && first.IsCA),
		"self_signed": cty.BoolVal(bytes.Equal(first.RawIssuer, first.RawSubject) && first.CheckSignature(first.SignatureAlgorithm, first.RawTBSCertificate, first.Signature) == nil),
		"count":       cty.NumberIntVal(int64(count)),
	}), nil
}

// certificates returns the first certificate in a text of PEM blocks, and how many there are.
func certificates(text []byte) (first *x509.Certificate, count int, err error) {
	for rest := text; ; {
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
		if first, err = x509.ParseCertificate(block.Bytes); err != nil {
			return nil, 0, err
		}
	}
	if first == nil {
		return nil, 0, fmt.Errorf("it has no certificate in PEM form")
	}
	return first, count, nil
}

// What a certificate may be used for, in the words of a CertificateSigningRequest's usages.
var (
	keyUsages = []string{ // by the bits of x509.KeyUsage
		"digital signature", "content commitment", "key encipherment", "data encipherment", "key agreement", "cert sign", "crl sign", "encipher only", "decipher only",
	}
	extendedKeyUsages = map[x509.ExtKeyUsage]string{
		x509.ExtKeyUsageAny: "any", x509.ExtKeyUsageServerAuth: "server auth", x509.ExtKeyUsageClientAuth: "client auth", x509.ExtKeyUsageCodeSigning: "code signing",
		x509.ExtKeyUsageEmailProtection: "email protection", x509.ExtKeyUsageTimeStamping: "timestamping", x509.ExtKeyUsageOCSPSigning: "ocsp signing",
		x509.ExtKeyUsageIPSECEndSystem: "ipsec end system", x509.ExtKeyUsageIPSECTunnel: "ipsec tunnel", x509.ExtKeyUsageIPSECUser: "ipsec user",
		x509.ExtKeyUsageMicrosoftServerGatedCrypto: "microsoft sgc", x509.ExtKeyUsageNetscapeServerGatedCrypto: "netscape sgc",
	}
)

func usages(c *x509.Certificate) (words []string) {
	for bit, word := range keyUsages {
		if c.KeyUsage&(1<<bit) != 0 {
			words = append(words, word)
		}
	}
	for _, usage := range c.ExtKeyUsage {
		if word, known := extendedKeyUsages[usage]; known {
			words = append(words, word)
		}
	}
	return words
}

func validText(s string) cty.Value { return cty.StringVal(strings.ToValidUTF8(s, "\uFFFD")) }

func texts(all []string) cty.Value {
	if len(all) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	var values []cty.Value
	for _, s := range all {
		values = append(values, validText(s))
	}
	return cty.ListVal(values)
}
