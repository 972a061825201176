// SPDX-License-Identifier: MIT

// What a stream function on arrow-rs needs: iterators of batches in, one out.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow_stream {
    () => {
        /// An input of a stream function: an iterator that reads a batch when it is asked
        /// for one. Its own error, handed on by `?`, reaches the host as it was.
        pub struct Stream<'s> {
            batches: $crate::InputStream<'s>,
            schema: SchemaRef,
        }

        impl Stream<'_> {
            /// The schema of the batches.
            pub fn schema(&self) -> &SchemaRef {
                &self.schema
            }
        }

        impl Iterator for Stream<'_> {
            type Item = Result<RecordBatch, Error>;

            fn next(&mut self) -> Option<Self::Item> {
                let batch = self.batches.next()?;
                Some(batch.and_then(|batch| import_batch(batch, &self.schema)))
            }
        }

        /// The inputs of a stream function; one that is not taken is never read.
        pub struct Streams<'a, 's> {
            inputs: &'a mut (dyn Iterator<Item = $crate::InputStream<'s>> + 'a),
            schemas: std::slice::Iter<'a, SchemaRef>,
        }

        impl<'s> Streams<'_, 's> {
            /// The next input, for functions with a fixed number of them.
            pub fn take(&mut self) -> Result<Stream<'s>, Error> {
                self.next().ok_or_else(|| Error::failed("no input is left"))
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

        /// What a stream function gives: a batch for each time the host asks.
        pub type Output<'s> = Box<dyn Iterator<Item = Result<RecordBatch, Error>> + Send + 's>;

        type Open = dyn for<'s> FnMut(Scope<'s>, &mut Streams<'_, 's>) -> Result<Output<'s>, Error>
            + Send;

        /// What a stream function answers when it is bound: its output, and what opens it.
        pub struct BoundStream {
            schema: SchemaRef,
            open: Box<Open>,
        }

        impl BoundStream {
            /// `open` serves one call after another, on any thread, and gives batches of
            /// `schema`. It should read nothing: that is for the iterator, when the host
            /// asks. `'s` ends when the host releases the output.
            pub fn new<F>(schema: SchemaRef, open: F) -> Self
            where
                F: for<'s> FnMut(Scope<'s>, &mut Streams<'_, 's>) -> Result<Output<'s>, Error>
                    + Send
                    + 'static,
            {
                Self { schema, open: Box::new(open) }
            }
        }

        /// What bind leaves for the calls of a stream function.
        pub struct StreamState {
            inputs: Vec<SchemaRef>,
            bound: BoundStream,
        }

        impl StreamState {
            /// Bind a function.
            pub fn bind(
                scope: Scope<'_>,
                inputs: Vec<SchemaRef>,
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
                let batches = batches.map(move |batch| {
                    let batch = batch?;
                    check_schema(&batch, schema)?;
                    export_batch(batch, &mut exporter)
                });
                Ok($crate::OutputStream::new(batches, move || export_schema(schema)))
            }
        }
    };
}
