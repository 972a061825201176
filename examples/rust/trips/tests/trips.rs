// SPDX-License-Identifier: MIT
//! The body of the function is tested through its views, without a host.

use arrowalloy::{Column, Duration, Timestamp};
use trips_rust::Trip;

#[test]
fn a_column_of_structs_gives_its_rows_back() {
    let trip = || Trip { took: Duration::new(60), stops: vec!["Bergen".to_owned()] };
    let column: Column<Trip> = [Some(trip()), None].into_iter().collect();
    assert_eq!(column.to_vec(), [Some(trip()), None]);
    assert_eq!(Timestamp::<arrowalloy::Second>::new(5).value(), 5);
}
