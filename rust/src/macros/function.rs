// SPDX-License-Identifier: MIT

/// Declares one function of a backend, for the list of [`backend!`](crate::backend).
///
/// # Functions on typed views
///
/// Each parameter is a column that the function reads: a [`View`](crate::View),
/// [`Bools`](crate::Bools), [`Strings`](crate::Strings) or [`Bytes`](crate::Bytes). The
/// engine finds the columns by name; their order does not matter, and extra columns are
/// ignored. It refuses a batch with a missing column or another type before the function
/// runs. The body returns a [`Column`](crate::Column) for each output.
///
/// ```
/// arrowalloy::function! {
///     /// A greeting for each name, which is repeated `times` times.
///     #[option(word = "Hello", "The first word.")]
///     fn greet(scope, options; name: Strings, times: View<i32>) -> Result<(text: String)> {
///         let word = options.get("word")?;
///         scope.check()?;
///         Ok(name
///             .iter()
///             .zip(times.iter())
///             .map(|(name, times)| Some(format!("{word} {}", name?.repeat(times? as usize))))
///             .collect())
///     }
/// }
/// # use arrowalloy::{Strings, View};
/// # arrowalloy::backend! { name: "acme.greet", functions: [greet] }
/// # fn main() {}
/// ```
///
/// The declaration can have more parts:
///
/// - Before a semicolon, `scope` or `scope, options` names the [`Scope`](crate::Scope) and
///   the [`Options`](crate::Options) of the call.
/// - A column whose name is a keyword of Rust is written as `r#type`; its name is `type`.
/// - A body that cannot fail returns no `Result`. One output then needs no parentheses:
///   `-> sum: f64`. Several outputs are a tuple: `-> (low: f64, high: f64)`.
/// - `#[option(name = "fallback", "summary")]` declares an option. Without the fallback, the
///   caller must pass the option.
/// - `#[flags(rowwise)]` promises that row i of the output depends only on row i of the
///   input. `#[flags(idempotent)]` promises that the function may run again after its worker
///   died. Flags come after the options; `#[flags(rowwise, idempotent)]` sets both.
///
/// # Stream functions on typed views
///
/// A `stream fn` reads streams of batches and returns one stream. For each input, the
/// declaration names a type (here `Sales`) and its columns. The parameter is an iterator
/// over batches of this type. Its method `views` returns a struct with a field for each
/// column, of the same name. The body returns an iterator; each of its items is the columns
/// of one output batch. An input is read only when the body asks for a batch. `?` works in
/// the body, and [`Options::parse`](crate::Options::parse) reads an option as any type that
/// implements `FromStr`.
///
/// ```
/// arrowalloy::function! {
///     /// The running total of price times count.
///     #[option(start = "0", "The total before the first row.")]
///     stream fn running_total(
///         scope, options; sales: Sales { price: View<f64>, count: View<i64> }
///     ) -> total: f64 {
///         let mut total: f64 = options.parse("start")?;
///         sales.map(move |sales| {
///             scope.check()?;
///             let sales = sales?;
///             let sales = sales.views()?;
///             let rows = sales.price.iter().zip(sales.count.iter());
///             Ok(rows.map(|(price, count)| {
///                 total += price? * count? as f64;
///                 Some(total)
///             }).collect())
///         })
///     }
/// }
/// # use arrowalloy::View;
/// # arrowalloy::backend! { name: "acme.total", functions: [running_total] }
/// # fn main() {}
/// ```
///
/// # Functions on whole batches
///
/// A function on arrow-rs or arrow2 takes and returns whole batches. Its declaration names
/// a function that the engine calls at bind, once for each combination of schemas and
/// options. It returns a `Bound` or a `BoundStream`; see
/// [`arrow_glue!`](crate::arrow_glue).
///
/// ```text
/// arrowalloy::function! {
///     /// Returns its batch.
///     arrow fn echo(inputs: 1) = bind_echo
/// }
/// arrowalloy::function! {
///     /// Reads two columns of a stream. Extra columns are ignored.
///     arrow stream fn total(orders: [price: "d:15,2", status: "u vu"]) = bind_total
/// }
/// ```
///
/// `inputs:` is the number of inputs: a number, a range such as `1..3` (both ends included)
/// or `2..`, or `any`. Or each input has a name and the list of the columns that the
/// function reads, as above. The batches then have only these columns, in this order. A
/// text after the column's name lists the C formats that it accepts; without it, the column
/// can have any type. For arrow2, write `arrow2` in place of `arrow`.
///
/// The Arrow crates follow offsets, views and indices, and take text for UTF-8, without a
/// check. So these functions have the flag `ALLOY_TRUSTS_VALUES`: the engine checks all of
/// this before the function gets a batch.
#[macro_export]
macro_rules! function {
    (
        $(#[doc = $doc:literal])*
        $(#[option($option:ident $(= $fallback:literal)?, $about:literal)])*
        $(#[flags($($flag:ident),+)])?
        $first:ident $($rest:tt)+
    ) => {
        $crate::__declare! {
            [[$($doc)*] [$([$option $($fallback)?, $about])*] [$($($flag)+)?]]
            $first $($rest)+
        }
    };
}

// Everything before `fn` is passed on as one token tree: [[summary] [options] [flags]].
#[doc(hidden)]
#[macro_export]
macro_rules! __declare {
    ($head:tt arrow fn $name:ident($($inputs:tt)+) = $bind:expr $(;)?) => {
        $crate::__whole_batches! { $head alloy_arrow map [$name] $bind => $($inputs)+ }
    };
    ($head:tt arrow stream fn $name:ident($($inputs:tt)+) = $bind:expr $(;)?) => {
        $crate::__whole_batches! { $head alloy_arrow stream [$name] $bind => $($inputs)+ }
    };
    ($head:tt arrow2 fn $name:ident($($inputs:tt)+) = $bind:expr $(;)?) => {
        $crate::__whole_batches! { $head alloy_arrow2 map [$name] $bind => $($inputs)+ }
    };
    ($head:tt arrow2 stream fn $name:ident($($inputs:tt)+) = $bind:expr $(;)?) => {
        $crate::__whole_batches! { $head alloy_arrow2 stream [$name] $bind => $($inputs)+ }
    };
    (
        $head:tt stream fn $name:ident(
            $scope:ident $(, $options:ident)?;
            $($input:ident: $rows:ident { $($param:ident: $type:ty),* $(,)? }),+ $(,)?
        ) -> $($rest:tt)+
    ) => {
        $crate::__typed_stream! {
            [$head $name [$scope $(, $options)?] [$([$input $rows [$([$param [$type]])*]])+]]
            $($rest)+
        }
    };
    (
        $head:tt stream fn $name:ident(
            $($input:ident: $rows:ident { $($param:ident: $type:ty),* $(,)? }),+ $(,)?
        ) -> $($rest:tt)+
    ) => {
        $crate::__typed_stream! {
            [$head $name [] [$([$input $rows [$([$param [$type]])*]])+]]
            $($rest)+
        }
    };
    (
        [$doc:tt $options_list:tt $flags:tt]
        fn $name:ident($scope:ident $(, $options:ident)?; $($param:ident: $type:ty),* $(,)?)
        -> $($rest:tt)+
    ) => {
        $crate::__typed! {
            $doc $options_list $flags
            $name [$scope $(, $options)?] [$($param: $type),*] $($rest)+
        }
    };
    (
        [$doc:tt $options_list:tt $flags:tt]
        fn $name:ident($($param:ident: $type:ty),* $(,)?) -> $($rest:tt)+
    ) => {
        $crate::__typed! {
            $doc $options_list $flags $name [] [$($param: $type),*] $($rest)+
        }
    };
}

// The number of inputs, and their columns.
#[doc(hidden)]
#[macro_export]
macro_rules! __whole_batches {
    (
        $head:tt $glue:ident $shape:ident $name:tt $bind:expr =>
        $($input:ident: [$($column:ident $(: $accepts:literal)?),+ $(,)?]),+ $(,)?
    ) => {
        $crate::__whole_batches_of! {
            $head $glue $shape $name $bind,
            [$crate::__count!($($input)+), $crate::__count!($($input)+)]
            [$([$([$column $(concat!($accepts, "\0"))?])+])+]
        }
    };
    (
        $head:tt $glue:ident $shape:ident $name:tt $bind:expr => inputs: $($inputs:tt)+
    ) => {
        $crate::__whole_batches_of! {
            $head $glue $shape $name $bind,
            [$crate::__inputs!(min $($inputs)+), $crate::__inputs!(max $($inputs)+)] []
        }
    };
}

// `crate` is the author's crate on purpose: the glue expanded there.
#[doc(hidden)]
#[macro_export]
#[allow(clippy::crate_in_macro_def)]
macro_rules! __whole_batches_of {
    (
        [[$($doc:literal)*] [$($option:tt)*] [$($flag:ident)*]]
        $glue:ident $shape:ident [$name:ident] $bind:expr,
        [$min:expr, $max:expr] [$($columns:tt)*]
    ) => {
        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        // SAFETY: SPEC points to constants that are made here.
        unsafe impl $crate::Function for $name {
            const SPEC: $crate::Spec = $crate::Spec {
                name: $crate::abi::c_name(concat!(stringify!($name), "\0")),
                summary: $crate::abi::c_text(concat!($($doc,)* "\0").trim_ascii_start()),
                // The Arrow crates follow what they find in a batch.
                flags: $crate::__flag!($shape)
                    | $crate::abi::TRUSTS_VALUES
                    $(| $crate::__flag!($flag))*,
                options: $crate::__options!($($option)*),
                min_inputs: $min,
                max_inputs: $max,
                columns: $crate::__columns!($($columns)*),
            };
            type State = $crate::__state!(crate::$glue $shape);

            unsafe fn bind(
                scope: $crate::Scope<'_>,
                inputs: &[$crate::abi::ArrowSchema],
                options: $crate::Options,
            ) -> ::core::result::Result<($crate::OwnedSchema, Self::State), $crate::Error> {
                // SAFETY: the engine passed the schemas.
                let inputs = unsafe { crate::$glue::import_schemas(inputs)? };
                <Self::State>::bind(scope, inputs, options, $bind)
            }

            $crate::__entry! { $shape }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __state {
    ($krate:ident::$glue:ident map) => {
        $krate::$glue::State
    };
    ($krate:ident::$glue:ident stream) => {
        $krate::$glue::StreamState
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    (map) => {
        fn run(
            state: &mut Self::State,
            scope: $crate::Scope<'_>,
            inputs: &mut [$crate::Input],
        ) -> ::core::result::Result<$crate::OwnedArray, $crate::Error> {
            state.run(scope, inputs)
        }
    };
    (stream) => {
        fn open<'s>(
            state: &'s mut Self::State,
            scope: $crate::Scope<'s>,
            inputs: &mut $crate::InputStreams<'_, 's>,
        ) -> ::core::result::Result<$crate::OutputStream<'s>, $crate::Error> {
            state.open(scope, inputs)
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __count {
    ($($one:tt)+) => {
        [$(stringify!($one)),+].len() as i32
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __inputs {
    ($bound:ident any) => {
        $crate::__inputs!($bound 0..)
    };
    (min $min:literal $(.. $($max:literal)?)?) => {
        $min
    };
    (max $min:literal ..) => {
        -1
    };
    (max $min:literal .. $max:literal) => {
        $max
    };
    (max $count:literal) => {
        $count
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __options {
    () => {
        ::core::ptr::null()
    };
    ($($option:tt)+) => {
        const {
            use $crate::abi::{Constant, RawOption};
            const NONE: RawOption = RawOption {
                name: ::core::ptr::null(),
                summary: ::core::ptr::null(),
                fallback: ::core::ptr::null(),
            };
            // SAFETY: the options and their texts are constants.
            const LIST: &Constant<&[RawOption]> =
                &unsafe { Constant::new(&[$($crate::__option!($option),)+ NONE]) };
            LIST.get().as_ptr()
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __option {
    ([$option:ident, $about:literal]) => {
        $crate::abi::RawOption {
            name: $crate::abi::c_name(concat!(stringify!($option), "\0")),
            summary: $crate::abi::c_text(concat!($about, "\0")),
            fallback: ::core::ptr::null(),
        }
    };
    ([$option:ident $fallback:literal, $about:literal]) => {
        $crate::abi::RawOption {
            name: $crate::abi::c_name(concat!(stringify!($option), "\0")),
            summary: $crate::abi::c_text(concat!($about, "\0")),
            fallback: $crate::abi::c_text(concat!($fallback, "\0")),
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __flag {
    (map) => {
        0
    };
    (stream) => {
        $crate::abi::STREAM
    };
    (idempotent) => {
        $crate::abi::IDEMPOTENT
    };
    (rowwise) => {
        $crate::abi::ROWWISE
    };
}
