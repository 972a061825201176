// SPDX-License-Identifier: MIT

/// Declares a function of a backend.
#[macro_export]
macro_rules! function {
    (
        $(#[doc = $doc:literal])*
        arrow fn $name:ident(inputs: $($inputs:tt)+) = $bind:expr $(;)?
    ) => {
        $crate::__whole_batches! { alloy_arrow [$($doc)*] $name ($($inputs)+) $bind }
    };
    (
        $(#[doc = $doc:literal])*
        arrow2 fn $name:ident(inputs: $($inputs:tt)+) = $bind:expr $(;)?
    ) => {
        $crate::__whole_batches! { alloy_arrow2 [$($doc)*] $name ($($inputs)+) $bind }
    };
}

// `crate` is the author's on purpose: that is where the glue expanded.
#[doc(hidden)]
#[macro_export]
#[allow(clippy::crate_in_macro_def)]
macro_rules! __whole_batches {
    ($glue:ident [$($doc:literal)*] $name:ident ($($inputs:tt)+) $bind:expr) => {
        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        impl $crate::Function for $name {
            const SPEC: $crate::Spec = $crate::Spec {
                name: $crate::abi::c_text(concat!(stringify!($name), "\0")),
                summary: $crate::abi::c_text(concat!($($doc,)* "\0").trim_ascii_start()),
                flags: 0,
                options: ::core::ptr::null(),
                min_inputs: $crate::__inputs!(min $($inputs)+),
                max_inputs: $crate::__inputs!(max $($inputs)+),
                columns: ::core::ptr::null(),
            };
            type State = crate::$glue::State;

            fn bind(
                scope: $crate::Scope<'_>,
                inputs: &[$crate::abi::ArrowSchema],
                options: $crate::Options<'_>,
            ) -> ::core::result::Result<($crate::OwnedSchema, Self::State), $crate::Error> {
                crate::$glue::bind(scope, inputs, options, $bind)
            }

            fn run(
                state: &mut Self::State,
                scope: $crate::Scope<'_>,
                inputs: &mut [$crate::abi::ArrowArray],
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
