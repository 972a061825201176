// SPDX-License-Identifier: MIT

// A stream function on whole batches: iterators of batches in, one iterator out. It needs
// the same functions next to it as `__calls!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __streams {
    ($schema:ident, $batch:ident) => {
        /// An input of a stream function: an iterator over its batches. It reads a batch
        /// only when the function asks for one. If the input fails, pass its error on with
        /// `?`: it reaches the host unchanged.
        pub struct Stream<'s> {
            batches: $crate::InputStream<'s>,
            schema: $schema,
        }

        impl Stream<'_> {
            /// The schema of the batches.
            pub fn schema(&self) -> &$schema {
                &self.schema
            }
        }

        impl Iterator for Stream<'_> {
            type Item = Result<$batch, Error>;

            fn next(&mut self) -> Option<Self::Item> {
                let batch = self.batches.next()?;
                Some(batch.and_then(|batch| import_batch(batch, &self.schema)))
            }
        }

        /// The inputs of a stream function. An input that the function does not take is
        /// never read.
        pub struct Streams<'a, 's> {
            inputs: &'a mut (dyn Iterator<Item = $crate::InputStream<'s>> + 'a),
            schemas: std::slice::Iter<'a, $schema>,
        }

        impl<'s> Streams<'_, 's> {
            /// The next input, for functions with a fixed number of inputs.
            ///
            /// # Errors
            ///
            /// All inputs were taken before.
            pub fn take(&mut self) -> Result<Stream<'s>, Error> {
                self.next().ok_or_else($crate::typed::no_more_inputs)
            }
        }

        impl<'s> Iterator for Streams<'_, 's> {
            type Item = Stream<'s>;

            fn next(&mut self) -> Option<Self::Item> {
                let schema = self.schemas.next()?.clone();
                Some(Stream { batches: self.inputs.next()?, schema })
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.schemas.size_hint()
            }
        }

        impl ExactSizeIterator for Streams<'_, '_> {}

        /// The output of a stream function. The host asks for one batch at a time.
        pub type Output<'s> = Box<dyn Iterator<Item = Result<$batch, Error>> + Send + 's>;

        type Open = dyn for<'s> FnMut(Scope<'s>, &mut Streams<'_, 's>) -> Result<Output<'s>, Error>
            + Send;

        /// What a stream function returns when it is bound: the schema of its output, and
        /// the closure that opens it.
        pub struct BoundStream {
            schema: $schema,
            open: Box<Open>,
        }

        impl BoundStream {
            /// `open` returns an iterator over batches of `schema`. It serves one call
            /// after another, on any thread.
            ///
            /// `open` itself should not read its inputs: the iterator reads them when the
            /// host asks for a batch. `'s` ends when the host releases the output.
            pub fn new<F>(schema: $schema, open: F) -> Self
            where
                F: for<'s> FnMut(Scope<'s>, &mut Streams<'_, 's>) -> Result<Output<'s>, Error>
                    + Send
                    + 'static,
            {
                Self { schema, open: Box::new(open) }
            }
        }

        /// What bind keeps for the calls of a stream function.
        pub struct StreamState {
            inputs: Vec<$schema>,
            bound: BoundStream,
        }

        impl StreamState {
            /// Bind a function.
            pub fn bind(
                scope: Scope<'_>,
                inputs: Vec<$schema>,
                options: Options,
                function: impl FnOnce(&Bind<'_>) -> Result<BoundStream, Error>,
            ) -> Result<(OwnedSchema, Self), Error> {
                let bound = function(&Bind { scope, schemas: &inputs, options: &options })?;
                Ok((export_schema(&bound.schema)?, Self { inputs, bound }))
            }

            /// Open it.
            pub fn open<'s>(
                &'s mut self,
                scope: Scope<'s>,
                inputs: &mut $crate::InputStreams<'_, 's>,
            ) -> Result<$crate::OutputStream<'s>, Error> {
                let mut inputs = Streams { inputs, schemas: self.inputs.iter() };
                let batches = (self.bound.open)(scope, &mut inputs)?;
                let schema = &self.bound.schema;
                let mut exporter = Exporter::default();
                let batches =
                    batches.map(move |batch| export_batch(batch?, schema, &mut exporter));
                Ok($crate::OutputStream::new(batches, move || export_schema(schema)))
            }
        }
    };
}
