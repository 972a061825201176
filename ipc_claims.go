// SPDX-License-Identifier: MIT

package alloy

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// defaultDecompressed limits the bytes of one message after decompression, and the bytes of
// all dictionaries of a stream. Go cannot recover when memory runs out, so there has to be a
// limit that does not depend on the machine.
const defaultDecompressed = 1 << 30

// codec is a CompressionType of Message.fbs.
type codec int8

const (
	codecLZ4       codec = 0
	codecZstandard codec = 1
)

// mostPerByte is what one compressed byte can become, at most. LZ4 counts a match in bytes
// of at most 255. Zstandard has blocks of at most 128 KiB, and the smallest takes 4 bytes.
func (c codec) mostPerByte() int64 {
	if c == codecLZ4 {
		return 255
	}
	return (128 << 10) / 4
}

// contents is what the metadata of a batch or of a dictionary says about its body.
type contents struct {
	isDictionary, isDelta bool
	id                    int64 // of the dictionary
	codec                 codec
	buffers               []byte // an offset and a length for each buffer; empty: nothing is compressed
}

// decompressed returns the bytes that a body becomes. Each compressed buffer begins with the
// size that it claims, and arrow-go allocates that size before it decompresses. So each claim
// is checked first: no codec can make that many bytes of so few.
func (c *contents) decompressed(body []byte) (total int64, err error) {
	if len(c.buffers) == 0 {
		return int64(len(body)), nil
	}
	for i := 0; 16*i < len(c.buffers); i++ {
		offset := binary.LittleEndian.Uint64(c.buffers[16*i:])
		length := binary.LittleEndian.Uint64(c.buffers[16*i+8:])
		if length == 0 {
			continue
		}
		if length < 8 || offset > uint64(len(body)) || length > uint64(len(body))-offset {
			return 0, fmt.Errorf("buffer %d has %d bytes at %d, but the body has %d bytes, and a compressed buffer begins with 8", i, int64(length), int64(offset), len(body))
		}
		compressed := int64(length) - 8
		claim := int64(binary.LittleEndian.Uint64(body[offset:]))
		if claim == -1 { // it is not compressed
			claim = compressed
		} else if claim < 0 || claim/c.codec.mostPerByte() > compressed {
			return 0, fmt.Errorf("buffer %d claims %d bytes in %d compressed bytes, which is not possible", i, claim, compressed)
		}
		// Several buffers may point to the same bytes, so the sum may overflow.
		if total += claim; total < 0 {
			return 0, errors.New("the buffers claim more than 2^63 bytes together")
		}
	}
	return total, nil
}

// dictionaries counts what the dictionaries of a stream keep in memory, by their ids.
type dictionaries map[int64]int64

// add counts a dictionary, and returns the bytes of all. A delta comes on top of the
// dictionary, which any other message replaces.
func (d dictionaries) add(found *contents, bytes int64) (all int64) {
	if found.isDelta {
		bytes += d[found.id]
	}
	d[found.id] = bytes
	for _, one := range d {
		all += one
	}
	return all
}

// limitError reports a message over the limit.
type limitError struct {
	what         string
	bytes, limit int64
}

func (e *limitError) Error() string {
	return fmt.Sprintf("%s would take %d bytes of memory, and the limit is %d; read it with ReadIPCWithin and a larger limit if you trust the writer", e.what, e.bytes, e.limit)
}
