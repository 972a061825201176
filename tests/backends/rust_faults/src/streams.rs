// SPDX-License-Identifier: MIT
//! Stream functions that fail.

use arrowalloy::{Column, Error, View};

arrowalloy::function! {
    /// Panics when it is opened.
    stream fn panic_in_open(rows: ToOpen { value: View<i64> }) -> value: i64 {
        if rows.size_hint().0 == 0 {
            panic!("the open went wrong");
        }
        rows.map(|batch| batch.map(|_| Column::default()))
    }
}

arrowalloy::function! {
    /// Returns its first batch, and panics on the second.
    stream fn panic_in_next(rows: ToRead { value: View<i64> }) -> value: i64 {
        rows.enumerate().map(|(at, batch)| {
            let batch = batch?;
            if at > 0 {
                panic!("the batch went wrong: {at}");
            }
            Ok(batch.views()?.value.iter().collect())
        })
    }
}

arrowalloy::function! {
    /// Ends normally when its input fails.
    stream fn hide_error(rows: ToHide { value: View<i64> }) -> value: i64 {
        rows.filter_map(Result::ok).map(|batch| Ok(batch.views()?.value.iter().collect()))
    }
}

arrowalloy::function! {
    /// Returns nothing until the call is cancelled.
    stream fn never_ending(scope; rows: ToWaitFor { value: View<i64> }) -> value: i64 {
        let mut rounds = 0;
        std::iter::from_fn(move || {
            let _ = &rows;
            while !scope.cancelled() {
                rounds += 1;
                scope.progress(rounds, 0);
                std::thread::yield_now();
            }
            Some(Err(Error::cancelled()))
        })
    }
}
