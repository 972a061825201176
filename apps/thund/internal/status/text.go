// SPDX-License-Identifier: MIT

package status

import "fmt"

// Grouped puts a comma between every three digits.
func Grouped(number int64) string {
	digits := fmt.Sprint(number)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Size shows bytes in the unit that fits.
func Size(bytes int64) string {
	switch b := float64(bytes); {
	case b >= 1e9:
		return fmt.Sprintf("%.1f GB", b/1e9)
	case b >= 1e5:
		return fmt.Sprintf("%.1f MB", b/1e6)
	case b >= 1e3:
		return fmt.Sprintf("%.0f kB", b/1e3)
	}
	return fmt.Sprintf("%d B", bytes)
}

// Rate shows a number of things per second with three digits or more.
func Rate(perSecond float64) string {
	if perSecond < 9.95 && perSecond > 0 {
		return fmt.Sprintf("%.1f/s", perSecond)
	}
	return Grouped(int64(perSecond+0.5)) + "/s"
}
