// SPDX-License-Identifier: MIT

// A map function on whole batches. `arrow_glue!` and `arrow2_glue!` expand it with their
// own types for a schema and a batch. It needs these functions next to it:
//
//   unsafe fn import_schema(&ArrowSchema) -> Result<$schema, Error>
//   fn import_batch(OwnedArray, &$schema) -> Result<$batch, Error>
//   fn export_schema(&$schema) -> Result<OwnedSchema, Error>
//   fn export_batch($batch, declared: &$schema, &mut Exporter) -> Result<OwnedArray, Error>
#[doc(hidden)]
#[macro_export]
macro_rules! __calls {
    ($schema:ident, $batch:ident) => {
        /// What a function learns when it is bound.
        pub struct Bind<'a> {
            scope: Scope<'a>,
            schemas: &'a [$schema],
            options: &'a Options,
        }

        impl<'a> Bind<'a> {
            /// The schemas of the inputs.
            pub fn schemas(&self) -> &'a [$schema] {
                self.schemas
            }

            /// The schema of the first input.
            ///
            /// # Panics
            ///
            /// The call has no inputs.
            pub fn schema(&self) -> $schema {
                self.schemas[0].clone()
            }

            /// The options of the call.
            pub fn options(&self) -> &'a Options {
                self.options
            }
        }

        /// The inputs of a run. Each batch is imported when the function asks for it.
        pub struct Batches<'a> {
            inputs: std::slice::IterMut<'a, Input>,
            schemas: &'a [$schema],
        }

        impl<'a> Batches<'a> {
            /// The next input, for functions with a fixed number of inputs.
            ///
            /// # Errors
            ///
            /// All inputs were taken before, or the batch cannot be imported.
            #[inline]
            pub fn take(&mut self) -> Result<$batch, Error> {
                self.next().unwrap_or_else(|| Err($crate::typed::no_more_inputs()))
            }

            /// The schemas of all inputs.
            pub fn schemas(&self) -> &'a [$schema] {
                self.schemas
            }
        }

        impl Iterator for Batches<'_> {
            type Item = Result<$batch, Error>;

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

        type Run = dyn FnMut(Scope<'_>, &mut Batches<'_>) -> Result<$batch, Error> + Send;

        /// What a function returns when it is bound: the schema of its output, and the
        /// closure that runs it.
        pub struct Bound {
            schema: $schema,
            run: Box<Run>,
        }

        impl Bound {
            /// `run` returns batches of `schema`. It serves one call after another, on any
            /// thread.
            pub fn new<F>(schema: $schema, run: F) -> Self
            where
                F: FnMut(Scope<'_>, &mut Batches<'_>) -> Result<$batch, Error>
                    + Send
                    + 'static,
            {
                Self { schema, run: Box::new(run) }
            }
        }

        /// What bind keeps for the runs.
        pub struct State {
            inputs: Vec<$schema>,
            exporter: Exporter,
            bound: Bound,
        }

        /// Import the schemas of the inputs.
        ///
        /// # Errors
        ///
        /// The Arrow crate cannot hold one of the schemas.
        ///
        /// # Safety
        ///
        /// Each must be the valid schema of a batch.
        pub unsafe fn import_schemas(
            inputs: &[ArrowSchema],
        ) -> Result<Vec<$schema>, Error> {
            // SAFETY: the caller's promise.
            inputs.iter().map(|schema| unsafe { import_schema(schema) }).collect()
        }

        impl State {
            /// Bind a function.
            pub fn bind(
                scope: Scope<'_>,
                inputs: Vec<$schema>,
                options: Options,
                function: impl FnOnce(&Bind<'_>) -> Result<Bound, Error>,
            ) -> Result<(OwnedSchema, Self), Error> {
                let bound =
                    function(&Bind { scope, schemas: &inputs, options: &options })?;
                let schema = export_schema(&bound.schema)?;
                Ok((schema, Self { inputs, exporter: Exporter::default(), bound }))
            }

            /// Run it.
            pub fn run(
                &mut self,
                scope: Scope<'_>,
                inputs: &mut [Input],
            ) -> Result<OwnedArray, Error> {
                let mut batches =
                    Batches { inputs: inputs.iter_mut(), schemas: &self.inputs };
                let batch = (self.bound.run)(scope, &mut batches)?;
                export_batch(batch, &self.bound.schema, &mut self.exporter)
            }
        }
    };
}
