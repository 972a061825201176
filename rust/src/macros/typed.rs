// SPDX-License-Identifier: MIT

// The forms of an output: `name: type`, or several in parentheses, or either in a Result.
// All become one call of __typed_function.
#[doc(hidden)]
#[macro_export]
macro_rules! __typed {
    (
        $doc:tt $options:tt $flags:tt $name:ident $context:tt $params:tt
        $out:ident: $type:ty $body:block
    ) => {
        $crate::__typed_function! {
            $doc $options $flags $name $context $params [$out: $type]
            [$crate::Column<$type>] [$out] [] $body
        }
    };
    (
        $doc:tt $options:tt $flags:tt $name:ident $context:tt $params:tt
        ($($out:ident: $type:ty),+ $(,)?) $body:block
    ) => {
        $crate::__typed_function! {
            $doc $options $flags $name $context $params [$($out: $type),+]
            [($($crate::Column<$type>,)+)] [($($out,)+)] [] $body
        }
    };
    (
        $doc:tt $options:tt $flags:tt $name:ident $context:tt $params:tt
        Result<($out:ident: $type:ty)> $body:block
    ) => {
        $crate::__typed_function! {
            $doc $options $flags $name $context $params [$out: $type]
            [::core::result::Result<$crate::Column<$type>, $crate::Error>] [$out] [?] $body
        }
    };
    (
        $doc:tt $options:tt $flags:tt $name:ident $context:tt $params:tt
        Result<($($out:ident: $type:ty),+ $(,)?)> $body:block
    ) => {
        $crate::__typed_function! {
            $doc $options $flags $name $context $params [$($out: $type),+]
            [::core::result::Result<($($crate::Column<$type>,)+), $crate::Error>]
            [($($out,)+)] [?] $body
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __typed_function {
    (
        [$($doc:literal)*] [$($option:tt)*] [$($flag:ident)*] $name:ident
        [$($scope:ident $(, $options:ident)?)?] [$($param:ident: $in:ty),*]
        [$($out:ident: $type:ty),+] [$output:ty] [$pattern:pat] [$($question:tt)?] $body:block
    ) => {
        $(#[doc = $doc])*
        pub fn $name(
            $($scope: $crate::Scope<'_>, $($options: &$crate::Options,)?)?
            $($param: $in,)*
        ) -> $output $body

        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        // SAFETY: SPEC points to constants that are made here.
        unsafe impl $crate::Function for $name {
            const SPEC: $crate::Spec = $crate::Spec {
                name: $crate::abi::c_name(concat!(stringify!($name), "\0")),
                summary: $crate::abi::c_text(concat!($($doc,)* "\0").trim_ascii_start()),
                flags: 0 $(| $crate::__flag!($flag))*,
                options: $crate::__options!($($option)*),
                min_inputs: 1,
                max_inputs: 1,
                columns: $crate::__columns!(
                    [$([$param <$in as $crate::Param>::ACCEPTS])*]
                ),
            };
            type State = $crate::typed::TypedState;

            unsafe fn bind(
                _scope: $crate::Scope<'_>,
                inputs: &[$crate::abi::ArrowSchema],
                options: $crate::Options,
            ) -> ::core::result::Result<($crate::OwnedSchema, Self::State), $crate::Error> {
                let reads: &[$crate::typed::Read] = &[$($crate::typed::Read::of::<$in>(
                    $crate::typed::name(stringify!($param)),
                )),*];
                let outputs = ::std::vec![$($crate::Field::new(
                    $crate::typed::name(stringify!($out)),
                    $crate::Type::of::<$type>(),
                )),+];
                // SAFETY: the engine passed the schema.
                unsafe { $crate::typed::bind(&inputs[0], options, reads, outputs) }
            }

            fn run(
                state: &mut Self::State,
                _scope: $crate::Scope<'_>,
                inputs: &mut [$crate::Input],
            ) -> ::core::result::Result<$crate::OwnedArray, $crate::Error> {
                #[allow(unused_mut, unused_variables)]
                let mut columns = state.columns(&inputs[0]);
                let $pattern = $name(
                    $(
                        $crate::__second!($scope, _scope),
                        $($crate::__second!($options, state.options()),)?
                    )?
                    $(columns.view::<$in>($crate::typed::name(stringify!($param)))?,)*
                ) $($question)?;
                let exporter = state.start(&[$(($crate::typed::name(stringify!($out)), $out.len())),+])?;
                $($out.export(exporter)?;)+
                // SAFETY: the buffers belong to the columns, which become the owner.
                Ok(unsafe { state.finish(($($out,)+)) })
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __second {
    ($first:ident, $second:expr) => {
        $second
    };
}
