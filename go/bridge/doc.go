// SPDX-License-Identifier: MIT

// Package bridge has the tests of package alloy that call backends. Package alloy, in the
// folder above, is the API for users.
package bridge
