// SPDX-License-Identifier: MIT

/// Makes the module `alloy_arrow`, for functions on arrow-rs.
/// [`backend!`](crate::backend) calls it for `arrow:`.
///
/// The version of arrow-rs must be 55.1 or newer. There are two ways to name it:
///
/// - One name, such as `arrow`, is the crate `arrow` itself, with its feature `ffi`.
/// - A path, such as `crate::arrow`, is a module that holds the parts of arrow-rs that are
///   needed, which build faster: `arrow_array` as `array`, `arrow_buffer` as `buffer`,
///   `arrow_data` as `data`, and `arrow_schema`, with its feature `ffi`, as `schema`.
///
/// `alloy_arrow` then contains:
///
/// - `Bind`: the schemas and the options of a call, while it is bound;
/// - `Bound` and `Batches`: what a map function returns at bind, and its inputs;
/// - `BoundStream`, `Streams`, `Stream`, `Output`: the same for a stream function;
/// - `describe_array` and `describe_batch`: the text of Arrow data.
#[macro_export]
macro_rules! arrow_glue {
    ($arrow:ident) => {
        $crate::__arrow_glue! {
            // The crate has the types of its parts, under other names.
            mod arrow {
                pub use ::$arrow::array;
                pub mod buffer {
                    pub use ::$arrow::buffer::*;
                    pub use ::$arrow::datatypes::ArrowNativeType;
                }
                pub mod data {
                    pub use ::$arrow::array::ArrayData;
                }
                pub mod schema {
                    pub use ::$arrow::datatypes::*;
                    pub mod ffi {
                        pub use ::$arrow::ffi::FFI_ArrowSchema;
                    }
                }
            }
        }
    };
    ($($arrow:ident)::+) => {
        $crate::__arrow_glue! { use $($arrow)::+ as arrow; }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_glue {
    ($($names:tt)+) => {
        #[allow(dead_code, unreachable_patterns)]
        mod alloy_arrow {
            $($names)+

            use arrow::array::{Array, ArrayRef, RecordBatch};
            use arrow::schema::ffi::FFI_ArrowSchema;
            use arrow::schema::{DataType, Field, Fields, Schema, SchemaRef};
            use std::sync::Arc;
            use $crate::abi::{ArrowArray, ArrowSchema};
            use $crate::{Error, Exporter, Input, Options, OwnedArray, OwnedSchema, Scope};

            $crate::__calls! { SchemaRef, RecordBatch }
            $crate::__streams! { SchemaRef, RecordBatch }
            $crate::__host! { SchemaRef, RecordBatch }
            $crate::__arrow_schema! {}
            $crate::__arrow_import! {}
            $crate::__arrow_import_nested! {}
            $crate::__arrow_export! {}

            impl Bind<'_> {
                /// The name of a field's type, as every Alloy program prints it.
                pub fn type_name(&self, field: &Field) -> Result<String, Error> {
                    let empty = arrow::array::new_empty_array(field.data_type());
                    let mut text = describe_array(self.scope, field, &empty)?;
                    text.truncate(text.rfind('[').unwrap_or(text.len()));
                    Ok(text)
                }
            }

            /// The text of an array, as every Alloy program prints it.
            pub fn describe_array(
                scope: Scope<'_>,
                field: &Field,
                array: &ArrayRef,
            ) -> Result<String, Error> {
                let schema = own_schema(FFI_ArrowSchema::try_from(field)?)?;
                let array = export_array(array.clone())?;
                // SAFETY: both were made here, of one type.
                unsafe { scope.describe_raw(schema.raw(), array.raw()) }
            }

            /// The text of a batch, as every Alloy program prints it.
            pub fn describe_batch(scope: Scope<'_>, batch: &RecordBatch) -> Result<String, Error> {
                let declared = batch.schema_ref();
                let schema = export_schema(declared)?;
                let array = export_batch(batch.clone(), declared, &mut Exporter::default())?;
                // SAFETY: both were made here, of one type.
                unsafe { scope.describe_raw(schema.raw(), array.raw()) }
            }
        }
    };
}
