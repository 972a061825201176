// SPDX-License-Identifier: MIT

/// Declares a function of a backend, for the list of [`backend!`](crate::backend).
///
/// On typed views, the parameters are the columns it reads: the engine finds them by
/// name, in any order and company, and refuses what does not fit before the function
/// runs. The body gives a [`Column`](crate::Column) for each output.
///
/// ```
/// arrowalloy::function! {
///     /// A greeting for each name, as often as it says.
///     #[option(word = "Hello", "How to begin.")]
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
/// `scope`, or `scope, options`, before a semicolon gives these as well. A body that
/// cannot fail needs no `Result`, one output then no parentheses. In front of `fn`,
/// `#[option(name = "fallback", "summary")]` or, for one that must be given,
/// `#[option(name, "summary")]` declares an option. After these, `#[flags(rowwise)]`
/// promises that row i of the output depends on row i of the one input alone,
/// `#[flags(idempotent)]` that the function may be run again after a worker died in it;
/// or both, with a comma.
///
/// A `stream fn` reads streams of batches and gives one. Each parameter names a type for
/// the batches of an input, whose `views` are the columns it declares; it is an iterator
/// over them, and the body gives an iterator over the columns of each batch that goes
/// out. Nothing is read before it is asked for.
///
/// ```
/// arrowalloy::function! {
///     /// The running total of x.
///     stream fn running_total(points: Points { x: View<f64> }) -> total: f64 {
///         let mut total = 0.0;
///         points.map(move |points| {
///             let points = points?;
///             let x = points.views()?;
///             Ok(x.iter().map(|x| { total += x?; Some(total) }).collect())
///         })
///     }
/// }
/// # use arrowalloy::View;
/// # arrowalloy::backend! { name: "acme.total", functions: [running_total] }
/// # fn main() {}
/// ```
///
/// On whole batches, a declaration names the function that binds; see `Bound` and
/// `BoundStream` in [`arrow_glue!`](crate::arrow_glue):
///
/// ```text
/// arrowalloy::function! {
///     /// Gives its batch back.
///     arrow fn echo(inputs: 1) = bind_echo
/// }
/// arrowalloy::function! {
///     /// Reads two columns of a stream, whatever else it has.
///     arrow stream fn total(orders: [price: "d:15,2", status: "u vu"]) = bind_total
/// }
/// ```
///
/// The number of inputs is one number, a range such as `1..3` (both included) or `2..`,
/// or `any`. Or each input has a name and a list of the columns that the function reads,
/// in this order, each with the C formats that it accepts or without for any type. For
/// arrow2 the first word is `arrow2`.
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

// What stands before is passed on as one tree: [[summary] [options] [flags]].
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

// How many inputs, and which columns of them.
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

// `crate` is the author's on purpose: that is where the glue expanded.
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

        // SAFETY: what SPEC points to is made here, of constants.
        unsafe impl $crate::Function for $name {
            const SPEC: $crate::Spec = $crate::Spec {
                name: $crate::abi::c_text(concat!(stringify!($name), "\0")),
                summary: $crate::abi::c_text(concat!($($doc,)* "\0").trim_ascii_start()),
                flags: $crate::__flag!($shape) $(| $crate::__flag!($flag))*,
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
            name: $crate::abi::c_text(concat!(stringify!($option), "\0")),
            summary: $crate::abi::c_text(concat!($about, "\0")),
            fallback: ::core::ptr::null(),
        }
    };
    ([$option:ident $fallback:literal, $about:literal]) => {
        $crate::abi::RawOption {
            name: $crate::abi::c_text(concat!(stringify!($option), "\0")),
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
