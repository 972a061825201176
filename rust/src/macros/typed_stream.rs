// SPDX-License-Identifier: MIT

// The same forms of an output as in `typed.rs`. Each batch of the output is one column or a
// tuple of columns. `?` works in the body of every form: without `Result`, the value of the
// body is wrapped in Ok.
#[doc(hidden)]
#[macro_export]
macro_rules! __typed_stream {
    ($head:tt $out:ident: $type:ty $body:block) => {
        $crate::__typed_stream_function! {
            $head [$out: $type] [$crate::Column<$type>] [$out] { Ok($body) }
        }
    };
    ($head:tt ($($out:ident: $type:ty),+ $(,)?) $body:block) => {
        $crate::__typed_stream_function! {
            $head [$($out: $type),+] [($($crate::Column<$type>,)+)] [($($out,)+)]
            { Ok($body) }
        }
    };
    ($head:tt Result<($out:ident: $type:ty)> $body:block) => {
        $crate::__typed_stream_function! {
            $head [$out: $type] [$crate::Column<$type>] [$out] $body
        }
    };
    ($head:tt Result<($($out:ident: $type:ty),+ $(,)?)> $body:block) => {
        $crate::__typed_stream_function! {
            $head [$($out: $type),+] [($($crate::Column<$type>,)+)] [($($out,)+)] $body
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __typed_stream_function {
    (
        [
            [[$($doc:literal)*] [$($option:tt)*] [$($flag:ident)*]] $name:ident
            [$($scope:ident $(, $options:ident)?)?]
            [$([$input:ident $rows:ident [$([$param:ident [$in:ty]])*]])+]
        ]
        [$($out:ident: $type:ty),+] [$columns:ty] [$pattern:pat]
        $body:block
    ) => {
        $(
            #[doc = concat!("A batch of the input `", stringify!($input), "`.")]
            #[derive(Debug)]
            pub struct $rows($crate::typed::Batch);

            impl $rows {
                /// The number of rows.
                #[allow(dead_code)]
                pub fn len(&self) -> usize {
                    self.0.len()
                }

                /// Whether there are no rows.
                #[allow(dead_code)]
                pub fn is_empty(&self) -> bool {
                    self.len() == 0
                }
            }

            const _: () = {
                /// The columns of a batch. Each field has the name of its column.
                // The type of a field needs a lifetime, which the declaration leaves out, so
                // the types are parameters.
                #[allow(non_camel_case_types, missing_docs)]
                #[derive(Clone, Debug)]
                pub struct AlloyViews<$($param),*> {
                    $(pub $param: $param,)*
                }

                impl $rows {
                    /// Views of the columns: a struct with a field for each column.
                    ///
                    /// # Errors
                    ///
                    /// An offset, a view or an index points outside its buffer, or a text is
                    /// not UTF-8.
                    #[allow(unused_mut, unused_variables)]
                    pub fn views(
                        &self,
                    ) -> ::core::result::Result<AlloyViews<$($in),*>, $crate::Error> {
                        let mut columns = self.0.columns();
                        Ok(AlloyViews {
                            $($param: columns.view::<$in>(
                                $crate::typed::name(stringify!($param)),
                            )?,)*
                        })
                    }
                }
            };

            impl ::core::convert::From<$crate::typed::Batch> for $rows {
                fn from(batch: $crate::typed::Batch) -> Self {
                    Self(batch)
                }
            }
        )+

        $(#[doc = $doc])*
        pub fn $name<'s>(
            $($scope: $crate::Scope<'s>, $($options: &'s $crate::Options,)?)?
            $($input: $crate::Rows<'s, $rows>,)+
        ) -> ::core::result::Result<
            impl ::core::iter::Iterator<
                Item = ::core::result::Result<$columns, $crate::Error>
            > + ::core::marker::Send + 's,
            $crate::Error,
        > $body

        #[allow(non_camel_case_types, missing_docs)]
        pub enum $name {}

        // SAFETY: SPEC points to constants that are made here.
        unsafe impl $crate::Function for $name {
            const SPEC: $crate::Spec = $crate::Spec {
                name: $crate::abi::c_name(concat!(stringify!($name), "\0")),
                summary: $crate::abi::c_text(concat!($($doc,)* "\0").trim_ascii_start()),
                flags: $crate::abi::STREAM $(| $crate::__flag!($flag))*,
                options: $crate::__options!($($option)*),
                min_inputs: $crate::__count!($($input)+),
                max_inputs: $crate::__count!($($input)+),
                columns: $crate::__columns!(
                    $([$([$param <$in as $crate::Param>::ACCEPTS])*])+
                ),
            };
            type State = $crate::typed::StreamState;

            unsafe fn bind(
                _scope: $crate::Scope<'_>,
                inputs: &[$crate::abi::ArrowSchema],
                options: $crate::Options,
            ) -> ::core::result::Result<($crate::OwnedSchema, Self::State), $crate::Error> {
                let reads: &[&[$crate::typed::Read]] = &[$(&[$($crate::typed::Read::of::<$in>(
                    $crate::typed::name(stringify!($param)),
                )),*]),+];
                let outputs = ::std::vec![$($crate::Field::new(
                    $crate::typed::name(stringify!($out)),
                    $crate::Type::of::<$type>(),
                )),+];
                // SAFETY: the engine passed the schemas.
                unsafe { Self::State::bind(inputs, options, reads, outputs) }
            }

            fn open<'s>(
                state: &'s mut Self::State,
                _scope: $crate::Scope<'s>,
                inputs: &mut $crate::InputStreams<'_, 's>,
            ) -> ::core::result::Result<$crate::OutputStream<'s>, $crate::Error> {
                let state = &*state;
                let mut inputs = state.inputs(inputs);
                let batches = $name(
                    $(
                        $crate::__second!($scope, _scope),
                        $($crate::__second!($options, state.options()),)?
                    )?
                    $(inputs.rows::<$rows>()?,)+
                )?;
                let mut exporter = $crate::Exporter::default();
                let batches = ::core::iter::Iterator::map(batches, move |columns| {
                    let $pattern = columns?;
                    let start = [$(($crate::typed::name(stringify!($out)), $out.len())),+];
                    $crate::typed::start(&mut exporter, &start)?;
                    $($out.export(&mut exporter)?;)+
                    // SAFETY: the buffers belong to the columns, which become the owner.
                    Ok(unsafe { exporter.finish(($($out,)+)) })
                });
                Ok(state.output(batches))
            }
        }
    };
}
