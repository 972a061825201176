// SPDX-License-Identifier: MIT
//! The types of values of one width: what a [`View`](crate::View) reads and a
//! [`Column`](crate::Column) holds.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::data_type::Type;
use crate::view::sealed::Sealed;

/// A type of one width: numbers, dates, times, decimals and fixed-size bytes.
pub trait Fixed: Copy + Send + Sync + Sealed + 'static {
    /// The C formats that a view of it accepts, separated by blanks, with a NUL at the end.
    const ACCEPTS: &'static str;
    /// The value in the place of a null.
    const ZERO: Self;

    /// The type of a column of results.
    fn data_type() -> Type;

    /// What it accepts, for people.
    #[doc(hidden)]
    #[must_use]
    fn wanted() -> String {
        without_nul(Self::ACCEPTS).to_owned()
    }

    /// Whether a column of an accepted format has the width of this type.
    #[must_use]
    fn fits(_format: &str) -> bool {
        true
    }
}

/// A number type: `i8` to `u64`, `f32` and `f64`.
pub trait Number: Fixed + Default {
    /// Its C format, with a NUL at the end.
    const FORMAT: &'static str;
}

macro_rules! numbers {
    ($($type:ty: $format:literal),*) => {
        $(impl Sealed for $type {}

        impl Number for $type {
            const FORMAT: &'static str = concat!($format, "\0");
        }

        impl Fixed for $type {
            const ACCEPTS: &'static str = Self::FORMAT;
            const ZERO: Self = 0 as Self;

            fn data_type() -> Type {
                Type::new($format)
            }
        })*
    };
}

numbers!(
    i8: "c", u8: "C", i16: "s", u16: "S", i32: "i", u32: "I", i64: "l", u64: "L", f32: "f",
    f64: "g"
);

// A format that the compiler puts together.
#[derive(Clone, Copy)]
struct Text {
    bytes: [u8; 64],
    len: usize,
}

impl Text {
    const fn of(text: &str) -> Self {
        Self { bytes: [0; 64], len: 0 }.add(text)
    }

    const fn add(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
        self
    }

    const fn number(self, number: i64) -> Self {
        if number < 0 {
            return self.add("-").number(-number);
        }
        let next = if number > 9 { self.number(number / 10) } else { self };
        let digits = "0123456789";
        next.add(digits.split_at((number % 10) as usize).1.split_at(1).0)
    }

    const fn get(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => panic!("formats are UTF-8"),
        }
    }
}

fn without_nul(text: &str) -> &str {
    text.trim_end_matches('\0')
}

/// A unit of time: [`Second`], [`Millisecond`], [`Microsecond`] or [`Nanosecond`].
pub trait Unit: Sealed + 'static {
    /// Its letter in C formats.
    const LETTER: &'static str;
    /// The integer of a [`Time`] in this unit.
    type OfDay: Copy + Ord + Hash + fmt::Debug + Default + Send + Sync + 'static;
    #[doc(hidden)]
    const MIDNIGHT: Self::OfDay;
}

macro_rules! units {
    ($($name:ident: $letter:literal $of_day:ty, $doc:literal),*) => {
        $(#[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Sealed for $name {}

        impl Unit for $name {
            const LETTER: &'static str = $letter;
            type OfDay = $of_day;
            const MIDNIGHT: $of_day = 0;
        })*
    };
}

units!(
    Second: "s" i32, "Seconds.", Millisecond: "m" i32, "Milliseconds.",
    Microsecond: "u" i64, "Microseconds.", Nanosecond: "n" i64, "Nanoseconds."
);

/// The time zone of a [`Timestamp`]. Implement it for zones of your own.
///
/// ```
/// #[derive(Debug)]
/// pub enum Stockholm {}
/// impl arrowalloy::Zone for Stockholm {
///     const NAME: Option<&'static str> = Some("Europe/Stockholm");
/// }
/// ```
pub trait Zone: 'static {
    /// The name of the zone; empty for timestamps without a zone; None for any of these.
    const NAME: Option<&'static str>;
}

/// Any time zone, or none. A result has the zone of the first input of the same unit, or
/// none without such an input.
#[derive(Clone, Copy, Debug)]
pub enum AnyZone {}
/// No time zone.
#[derive(Clone, Copy, Debug)]
pub enum NoZone {}
/// The time zone `UTC`.
#[derive(Clone, Copy, Debug)]
pub enum Utc {}

impl Zone for AnyZone {
    const NAME: Option<&'static str> = None;
}

impl Zone for NoZone {
    const NAME: Option<&'static str> = Some("");
}

impl Zone for Utc {
    const NAME: Option<&'static str> = Some("UTC");
}

// A value with its type around it. The traits are written out because a derive would ask
// them of the parameters too.
macro_rules! values {
    ($(
        $(#[$doc:meta])*
        $name:ident [$($declared:tt)*] [$($params:tt)*] [$($args:tt)*] $value:ty, $marker:ty, $zero:expr;
    )*) => {
        $($(#[$doc])*
        #[repr(transparent)]
        pub struct $name<$($declared)*>($value, PhantomData<fn() -> $marker>);

        impl<$($params)*> $name<$($args)*> {
            /// A value.
            #[must_use]
            pub const fn new(value: $value) -> Self {
                Self(value, PhantomData)
            }

            /// The number in it.
            #[must_use]
            pub const fn value(self) -> $value {
                self.0
            }
        }

        impl<$($params)*> Clone for $name<$($args)*> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($params)*> Copy for $name<$($args)*> {}

        impl<$($params)*> Default for $name<$($args)*> {
            fn default() -> Self {
                Self::new($zero)
            }
        }

        impl<$($params)*> PartialEq for $name<$($args)*> {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl<$($params)*> Eq for $name<$($args)*> {}

        impl<$($params)*> PartialOrd for $name<$($args)*> {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl<$($params)*> Ord for $name<$($args)*> {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.cmp(&other.0)
            }
        }

        impl<$($params)*> Hash for $name<$($args)*> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl<$($params)*> fmt::Debug for $name<$($args)*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }

        impl<$($params)*> Sealed for $name<$($args)*> {})*
    };
}

values! {
    /// A day, counted from 1970-01-01.
    Date32 [] [] [] i32, (), 0;
    /// A day, as milliseconds since 1970-01-01.
    Date64 [] [] [] i64, (), 0;
    /// A time of day in a unit: `i32` for seconds and milliseconds, else `i64`.
    Time [U: Unit] [U: Unit] [U] U::OfDay, U, U::MIDNIGHT;
    /// A length of time in a unit.
    Duration [U: Unit] [U: Unit] [U] i64, U, 0;
    /// A moment, counted in a unit from 1970-01-01 00:00:00; with a zone, of UTC.
    Timestamp [U: Unit, Z: Zone = AnyZone] [U: Unit, Z: Zone] [U, Z] i64, (U, Z), 0;
    /// A decimal of 128 bits of any precision and scale, as its unscaled value: 1.23 with
    /// scale 2 is 123. A view has the precision and the scale. A result has those of the
    /// first input that is a decimal; without such an input, use [`Decimal`].
    Decimal128 [] [] [] i128, (), 0;
    /// A decimal of 128 bits with the precision `P` and the scale `S`, as its unscaled value.
    Decimal [const P: u8, const S: i8] [const P: u8, const S: i8] [P, S] i128, (), 0;
}

impl Fixed for Date32 {
    const ACCEPTS: &'static str = "tdD\0";
    const ZERO: Self = Self::new(0);

    fn data_type() -> Type {
        Type::new("tdD")
    }
}

impl Fixed for Date64 {
    const ACCEPTS: &'static str = "tdm\0";
    const ZERO: Self = Self::new(0);

    fn data_type() -> Type {
        Type::new("tdm")
    }
}

impl<U: Unit> Time<U> {
    const FORMAT: Text = Text::of("tt").add(U::LETTER).add("\0");
}

impl<U: Unit> Fixed for Time<U> {
    const ACCEPTS: &'static str = Self::FORMAT.get();
    const ZERO: Self = Self::new(U::MIDNIGHT);

    fn data_type() -> Type {
        Type::new(without_nul(Self::ACCEPTS))
    }
}

impl<U: Unit> Duration<U> {
    const FORMAT: Text = Text::of("tD").add(U::LETTER).add("\0");
}

impl<U: Unit> Fixed for Duration<U> {
    const ACCEPTS: &'static str = Self::FORMAT.get();
    const ZERO: Self = Self::new(0);

    fn data_type() -> Type {
        Type::new(without_nul(Self::ACCEPTS))
    }
}

impl<U: Unit, Z: Zone> Timestamp<U, Z> {
    const FORMAT: Text = {
        let unit = Text::of("ts").add(U::LETTER).add(":");
        match Z::NAME {
            Some(zone) => unit.add(zone).add("\0"),
            None => unit.add("*\0"),
        }
    };
}

impl<U: Unit, Z: Zone> Fixed for Timestamp<U, Z> {
    const ACCEPTS: &'static str = Self::FORMAT.get();
    const ZERO: Self = Self::new(0);

    fn data_type() -> Type {
        let accepts = without_nul(Self::ACCEPTS);
        match accepts.strip_suffix('*') {
            Some(format) => Type::like(Self::ACCEPTS, Self::fits, Some(format)),
            None => Type::new(accepts),
        }
    }
}

impl Fixed for Decimal128 {
    const ACCEPTS: &'static str = "d:*\0";
    const ZERO: Self = Self::new(0);

    fn data_type() -> Type {
        Type::like(Self::ACCEPTS, Self::fits, None)
    }

    fn wanted() -> String {
        "d:* of 128 bits".to_owned()
    }

    fn fits(format: &str) -> bool {
        precision_and_scale(format).is_some()
    }
}

impl<const P: u8, const S: i8> Decimal<P, S> {
    const FORMAT: Text = Text::of("d:").number(P as i64).add(",").number(S as i64);
    const BOTH: Text =
        Self::FORMAT.add(" ").add(Self::FORMAT.get()).add(",128").add("\0");
}

impl<const P: u8, const S: i8> Fixed for Decimal<P, S> {
    const ACCEPTS: &'static str = {
        assert!(P >= 1 && P <= 38, "a decimal of 128 bits has a precision from 1 to 38");
        Self::BOTH.get()
    };
    const ZERO: Self = Self::new(0);

    fn data_type() -> Type {
        Type::new(Self::FORMAT.get())
    }
}

// Of a decimal of 128 bits: `d:P,S` or `d:P,S,128`.
pub(crate) fn precision_and_scale(format: &str) -> Option<(u8, i8)> {
    let format = format.strip_prefix("d:")?;
    let (precision, scale) =
        format.strip_suffix(",128").unwrap_or(format).split_once(',')?;
    Some((precision.parse().ok()?, scale.parse().ok()?))
}

struct Bytes<const N: usize>;

impl<const N: usize> Bytes<N> {
    const FORMAT: Text = Text::of("w:").number(N as i64).add("\0");
}

impl<const N: usize> Sealed for [u8; N] {}

/// A fixed-size binary of `N` bytes.
impl<const N: usize> Fixed for [u8; N] {
    const ACCEPTS: &'static str = Bytes::<N>::FORMAT.get();
    const ZERO: Self = [0; N];

    fn data_type() -> Type {
        Type::new(without_nul(Self::ACCEPTS))
    }
}
