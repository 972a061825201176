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
/// On whole batches, a declaration names the function that binds; see `Bound` in
/// [`arrow_glue!`](crate::arrow_glue):
///
/// ```text
/// arrowalloy::function! {
///     /// Gives its batch back.
///     arrow fn echo(inputs: 1) = bind_echo
/// }
/// ```
///
/// The number of inputs is one number, a range such as `1..3` (both included) or `2..`,
/// or `any`; for arrow2 the first word is `arrow2`.
#[macro_export]
macro_rules! function {
    (
        $(#[doc = $doc:literal])*
        $(#[option($option:ident $(= $fallback:literal)?, $about:literal)])*
        $(#[flags($($flag:ident),+)])?
        arrow fn $name:ident(inputs: $($inputs:tt)+) = $bind:expr $(;)?
    ) => {
        $crate::__whole_batches! {
            alloy_arrow [$($doc)*] [$([$option $($fallback)?, $about])*] [$($($flag)+)?]
            $name ($($inputs)+) $bind
        }
    };
    (
        $(#[doc = $doc:literal])*
        $(#[option($option:ident $(= $fallback:literal)?, $about:literal)])*
        $(#[flags($($flag:ident),+)])?
        arrow2 fn $name:ident(inputs: $($inputs:tt)+) = $bind:expr $(;)?
    ) => {
        $crate::__whole_batches! {
            alloy_arrow2 [$($doc)*] [$([$option $($fallback)?, $about])*] [$($($flag)+)?]
            $name ($($inputs)+) $bind
        }
    };
    (
        $(#[doc = $doc:literal])*
        $(#[option($option:ident $(= $fallback:literal)?, $about:literal)])*
        $(#[flags($($flag:ident),+)])?
        fn $name:ident($scope:ident $(, $options:ident)?; $($param:ident: $type:ty),* $(,)?)
        -> $($rest:tt)+
    ) => {
        $crate::__typed! {
            [$($doc)*] [$([$option $($fallback)?, $about])*] [$($($flag)+)?]
            $name [$scope $(, $options)?] [$($param: $type),*] $($rest)+
        }
    };
    (
        $(#[doc = $doc:literal])*
        $(#[option($option:ident $(= $fallback:literal)?, $about:literal)])*
        $(#[flags($($flag:ident),+)])?
        fn $name:ident($($param:ident: $type:ty),* $(,)?) -> $($rest:tt)+
    ) => {
        $crate::__typed! {
            [$($doc)*] [$([$option $($fallback)?, $about])*] [$($($flag)+)?]
            $name [] [$($param: $type),*] $($rest)+
        }
    };
}

// `crate` is the author's on purpose: that is where the glue expanded.
#[doc(hidden)]
#[macro_export]
#[allow(clippy::crate_in_macro_def)]
macro_rules! __whole_batches {
    (
        $glue:ident [$($doc:literal)*] [$($option:tt)*] [$($flag:ident)*]
        $name:ident ($($inputs:tt)+) $bind:expr
    ) => {
        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        // SAFETY: what SPEC points to is made here, of constants.
        unsafe impl $crate::Function for $name {
            const SPEC: $crate::Spec = $crate::Spec {
                name: $crate::abi::c_text(concat!(stringify!($name), "\0")),
                summary: $crate::abi::c_text(concat!($($doc,)* "\0").trim_ascii_start()),
                flags: 0 $(| $crate::__flag!($flag))*,
                options: $crate::__options!($($option)*),
                min_inputs: $crate::__inputs!(min $($inputs)+),
                max_inputs: $crate::__inputs!(max $($inputs)+),
                columns: ::core::ptr::null(),
            };
            type State = crate::$glue::State;

            unsafe fn bind(
                scope: $crate::Scope<'_>,
                inputs: &[$crate::abi::ArrowSchema],
                options: $crate::Options,
            ) -> ::core::result::Result<($crate::OwnedSchema, Self::State), $crate::Error> {
                // SAFETY: the engine passed the schemas.
                let inputs = unsafe { crate::$glue::import_schemas(inputs)? };
                crate::$glue::bind(scope, inputs, options, $bind)
            }

            fn run(
                state: &mut Self::State,
                scope: $crate::Scope<'_>,
                inputs: &mut [$crate::Input],
            ) -> ::core::result::Result<$crate::OwnedArray, $crate::Error> {
                state.run(scope, inputs)
            }
        }
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
    (idempotent) => {
        $crate::abi::IDEMPOTENT
    };
    (rowwise) => {
        $crate::abi::ROWWISE
    };
}
