// SPDX-License-Identifier: MIT

package alloy

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
)

// ReadCertificate reads an X.509 certificate from a file, and returns it in the form that
// SetImplLib takes. The file holds one certificate as PEM, as base64 of its DER bytes, or as
// DER.
func ReadCertificate(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", certificateError(reasonCannotOpen, path, err.Error(), err)
	}
	der, text, err := certificateOf(content)
	if text != "" {
		return "", certificateError(reasonCertificateDER, path, text, err)
	}
	if _, err := x509.ParseCertificate(der); err != nil {
		return "", certificateError(reasonCertificateDER, path, "it is not an X.509 certificate: "+err.Error(), err)
	}
	return base64.StdEncoding.EncodeToString(der), nil
}

// certificateOf returns the DER bytes of a certificate as PEM, base64 or DER. A text is why
// it cannot.
func certificateOf(content []byte) (der []byte, text string, err error) {
	if len(content) > 0 && content[0] == 0x30 { // a DER sequence begins with this byte, which is also "0"
		if _, err := x509.ParseCertificate(content); err == nil {
			return content, "", nil
		}
	}
	if bytes.Contains(content, []byte("-----BEGIN")) {
		return certificateOfPEM(content)
	}
	lines := strings.Join(strings.Fields(string(content)), "")
	der, err = base64.StdEncoding.DecodeString(lines)
	if err != nil || len(der) == 0 {
		return nil, "it is neither PEM, nor base64, nor DER", err
	}
	return der, "", nil
}

func certificateOfPEM(content []byte) (der []byte, text string, err error) {
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if der != nil {
			return nil, "it has more than one certificate; keep the one to trust", nil
		}
		der = block.Bytes
	}
	if der == nil {
		return nil, "it is PEM without a certificate", nil
	}
	return der, "", nil
}

func certificateError(reason Reason, path, text string, cause error) *Error {
	e := callerError(Invalid, "cannot read the certificate %s: %s", path, text)
	e.Reason, e.cause = reason, cause
	return e
}
