// SPDX-License-Identifier: MIT
//! The function is a plain Rust function, and is tested as one.

use distance_rust::distance;

#[test]
fn a_point_with_a_null_coordinate_has_no_distance() {
    let x = [Some(3.0), None, Some(6.0)].into_iter().collect();
    let y = [Some(4.0), Some(1.0), Some(8.0)].into_iter().collect();
    assert_eq!(distance(x, y).to_vec(), [Some(5.0), None, Some(10.0)]);
}
