// SPDX-License-Identifier: MIT

/// Makes the module `alloy_arrow` against the arrow-rs crates in the module of the path;
/// [`backend!`](crate::backend) calls it for `arrow:`.
///
/// The module holds what a function on arrow-rs needs: `Bind` (the schemas and the
/// options of a call), `Bound` and `Batches` (its inputs, imported when they are asked
/// for), or `BoundStream`, `Streams` and `Stream` of a stream function, `describe_array`
/// and `describe_batch`.
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

            $crate::__arrow_schema! {}
            $crate::__arrow_import! {}
            $crate::__arrow_import_nested! {}
            $crate::__arrow_export! {}
            $crate::__arrow_stream! {}

            /// What a function learns when it is bound.
            pub struct Bind<'a> {
                scope: Scope<'a>,
                schemas: &'a [SchemaRef],
                options: &'a Options,
            }

            impl<'a> Bind<'a> {
                /// The schemas of the inputs.
                pub fn schemas(&self) -> &'a [SchemaRef] {
                    self.schemas
                }

                /// The schema of the only input.
                pub fn schema(&self) -> SchemaRef {
                    self.schemas[0].clone()
                }

                /// The name of a field's type as every Alloy program prints it.
                pub fn type_name(&self, field: &Field) -> Result<String, Error> {
                    let empty = arrow::array::new_empty_array(field.data_type());
                    let mut text = describe_array(self.scope, field, &empty)?;
                    text.truncate(text.rfind('[').unwrap_or(text.len()));
                    Ok(text)
                }

                /// The options of the call.
                pub fn options(&self) -> &'a Options {
                    self.options
                }
            }

            /// The inputs of a run, each imported when it is asked for.
            pub struct Batches<'a> {
                inputs: std::slice::IterMut<'a, Input>,
                schemas: &'a [SchemaRef],
            }

            impl Batches<'_> {
                /// The next input, for functions with a fixed number of them.
                #[inline]
                pub fn take(&mut self) -> Result<RecordBatch, Error> {
                    self.next().unwrap_or_else(|| Err(Error::failed("no input is left")))
                }
            }

            impl Iterator for Batches<'_> {
                type Item = Result<RecordBatch, Error>;

                #[inline]
                fn next(&mut self) -> Option<Self::Item> {
                    let index = self.schemas.len() - self.inputs.len();
                    let input = self.inputs.next()?;
                    Some(import_batch(input.take(), &self.schemas[index]))
                }

                fn size_hint(&self) -> (usize, Option<usize>) {
                    self.inputs.size_hint()
                }
            }

            impl ExactSizeIterator for Batches<'_> {}

            type Run =
                dyn FnMut(Scope<'_>, &mut Batches<'_>) -> Result<RecordBatch, Error> + Send;

            /// What a function answers when it is bound: its output, and what runs it.
            pub struct Bound {
                schema: SchemaRef,
                run: Box<Run>,
            }

            impl Bound {
                /// `run` serves one batch after another, on any thread, and gives batches
                /// of `schema`.
                pub fn new<F>(schema: SchemaRef, run: F) -> Self
                where
                    F: FnMut(Scope<'_>, &mut Batches<'_>) -> Result<RecordBatch, Error>
                        + Send
                        + 'static,
                {
                    Self { schema, run: Box::new(run) }
                }
            }

            /// What bind leaves for the runs.
            pub struct State {
                inputs: Vec<SchemaRef>,
                exporter: Exporter,
                bound: Bound,
            }

            /// The schemas of the inputs.
            ///
            /// # Safety
            ///
            /// They must be those of batches, and valid.
            pub unsafe fn import_schemas(
                inputs: &[ArrowSchema],
            ) -> Result<Vec<SchemaRef>, Error> {
                // SAFETY: the caller's promise.
                inputs.iter().map(|schema| unsafe { import_schema(schema) }).collect()
            }

            impl State {
                /// Bind a function.
                pub fn bind(
                    scope: Scope<'_>,
                    inputs: Vec<SchemaRef>,
                    options: Options,
                    function: impl FnOnce(&Bind<'_>) -> Result<Bound, Error>,
                ) -> Result<(OwnedSchema, Self), Error> {
                    let bound = function(&Bind { scope, schemas: &inputs, options: &options })?;
                    let schema = export_schema(&bound.schema)?;
                    Ok((schema, Self { inputs, exporter: Exporter::default(), bound }))
                }

                /// Run it.
                pub fn run(
                    &mut self,
                    scope: Scope<'_>,
                    inputs: &mut [Input],
                ) -> Result<OwnedArray, Error> {
                    let mut batches = Batches { inputs: inputs.iter_mut(), schemas: &self.inputs };
                    let batch = (self.bound.run)(scope, &mut batches)?;
                    check_schema(&batch, &self.bound.schema)?;
                    export_batch(batch, &mut self.exporter)
                }
            }

            // The layouts that the engine made at bind are those of the declared schema.
            #[inline]
            fn check_schema(batch: &RecordBatch, declared: &SchemaRef) -> Result<(), Error> {
                let schema = batch.schema_ref();
                if Arc::ptr_eq(schema, declared) {
                    return Ok(());
                }
                if schema.fields().len() != declared.fields().len() {
                    return Err(Error::failed(format!(
                        "the function declared {} columns and gave {}",
                        declared.fields().len(),
                        schema.fields().len()
                    )));
                }
                for (got, wanted) in schema.fields().iter().zip(declared.fields()) {
                    if got.data_type() != wanted.data_type() {
                        return Err(Error::failed(format!(
                            "column {}: the function declared {} and gave {}",
                            wanted.name(),
                            wanted.data_type(),
                            got.data_type()
                        )));
                    }
                }
                Ok(())
            }

            /// The text of an array as every Alloy program prints it.
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

            /// The text of a batch as every Alloy program prints it.
            pub fn describe_batch(scope: Scope<'_>, batch: &RecordBatch) -> Result<String, Error> {
                let schema = export_schema(batch.schema_ref())?;
                let array = export_batch(batch.clone(), &mut Exporter::default())?;
                // SAFETY: both were made here, of one type.
                unsafe { scope.describe_raw(schema.raw(), array.raw()) }
            }
        }
    };
}
