// SPDX-License-Identifier: MIT
//! A backend that reads timestamps and lists, and makes a struct and a dictionary.

use arrowalloy::{Dictionary, Duration, Error, List, Second, Strings, Timestamp, View};

arrowalloy::record! {
    /// How long a trip took, and where it stopped.
    #[derive(Debug, PartialEq)]
    pub struct Trip { pub took: Duration<Second>, pub stops: Vec<String> }
}

arrowalloy::function! {
    /// The end of each trip, in the time zone of its begin; what it was; its city.
    #[option(most = "100", "How many stops a trip may have.")]
    #[flags(rowwise)]
    fn trips(
        scope, options;
        left: View<Timestamp<Second>>, minutes: View<i32>, stops: List<Strings>, city: Strings
    ) -> Result<(arrived: Timestamp<Second>, trip: Trip, city: Dictionary<String>)> {
        let most: usize = options.parse("most")?;
        scope.check()?; // ends a call that was cancelled
        if let Some(long) = stops.iter().flatten().find(|stops| stops.len() > most) {
            return Err(Error::invalid(format!("{} stops are more than {most}", long.len())));
        }
        let arrived = left.iter().zip(minutes.iter());
        let arrived = arrived.map(|(left, minutes)| {
            // A moment that is out of range becomes a null.
            left?.value().checked_add(i64::from(minutes?) * 60).map(Timestamp::new)
        });
        let trip = minutes.iter().zip(stops.iter()).map(|(minutes, stops)| {
            let took = Duration::new(i64::from(minutes?) * 60);
            let stops = stops?.iter().flatten().map(str::to_owned).collect();
            Some(Trip { took, stops })
        });
        Ok((arrived.collect(), trip.collect(), city.iter().collect()))
    }
}

arrowalloy::backend! { name: "example.trips", functions: [trips] }
