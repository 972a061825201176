// SPDX-License-Identifier: MIT

/// Makes the module `alloy_arrow`, for functions on arrow-rs.
/// [`backend!`](crate::backend) calls it for `arrow:`.
///
/// The path names a module that holds the author's arrow-rs crates. `alloy_arrow` then
/// contains:
///
/// - `Bind`: the schemas and the options of a call, while it is bound;
/// - `Bound` and `Batches`: what a map function returns at bind, and its inputs;
/// - `BoundStream`, `Streams`, `Stream`, `Output`: the same for a stream function;
/// - `describe_array` and `describe_batch`: the text of Arrow data.
#[macro_export]
macro_rules! arrow_glue {
    ($($arrow:ident)::+) => {
        #[allow(dead_code, unreachable_patterns)]
        mod alloy_arrow {
            use $($arrow)::+ as arrow;

            use arrow::array::{Array, ArrayRef, RecordBatch};
            use arrow::schema::ffi::FFI_ArrowSchema;
            use arrow::schema::{DataType, Field, Fields, Schema, SchemaRef};
            use std::sync::Arc;
            use $crate::abi::{ArrowArray, ArrowSchema};
            use $crate::{Error, Exporter, Input, Options, OwnedArray, OwnedSchema, Scope};

            $crate::__calls! { SchemaRef, RecordBatch }
            $crate::__streams! { SchemaRef, RecordBatch }
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
