// SPDX-License-Identifier: MIT

// What a stream function on arrow2 needs: iterators of batches in, one out.
#[doc(hidden)]
#[macro_export]
macro_rules! __arrow2_stream {
    () => {
        /// An input of a stream function: an iterator that reads a batch when it is asked
        /// for one. Its own error, handed on by `?`, reaches the host as it was.
        pub struct Stream<'s> {
            batches: $crate::InputStream<'s>,
            schema: Schema,
        }

        impl Stream<'_> {
            /// The schema of the batches.
            pub fn schema(&self) -> &Schema {
                &self.schema
            }
        }

        impl Iterator for Stream<'_> {
            type Item = Result<Batch, Error>;

            fn next(&mut self) -> Option<Self::Item> {
                let batch = self.batches.next()?;
                Some(batch.and_then(|batch| import_batch(batch, &self.schema)))
            }
        }

        /// The inputs of a stream function; one that is not taken is never read.
        pub struct Streams<'a, 's> {
            inputs: &'a mut (dyn Iterator<Item = $crate::InputStream<'s>> + 'a),
            schemas: std::slice::Iter<'a, Schema>,
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
        pub type Output<'s> = Box<dyn Iterator<Item = Result<Batch, Error>> + Send + 's>;

        type Open = dyn for<'s> FnMut(Scope<'s>, &mut Streams<'_, 's>) -> Result<Output<'s>, Error>
            + Send;

        /// What a stream function answers when it is bound: its output, and what opens it.
        pub struct BoundStream {
            schema: Schema,
            open: Box<Open>,
        }

        impl BoundStream {
            /// `open` serves one call after another, on any thread, and gives batches of
            /// `schema`. It should read nothing: that is for the iterator, when the host
            /// asks. `'s` ends when the host releases the output.
            pub fn new<F>(schema: Schema, open: F) -> Self
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
            inputs: Vec<Schema>,
            bound: BoundStream,
        }

        impl StreamState {
            /// Bind a function.
            pub fn bind(
                _scope: Scope<'_>,
                inputs: Vec<Schema>,
                options: Options,
                function: impl FnOnce(&Bind<'_>) -> Result<BoundStream, Error>,
            ) -> Result<(OwnedSchema, Self), Error> {
                let bound = function(&Bind { schemas: &inputs, options: &options })?;
                Ok((export_schema(&bound.schema), Self { inputs, bound }))
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
                let batches = batches.map(move |batch| export_batch(batch?, schema));
                Ok($crate::OutputStream::new(batches, move || Ok(export_schema(schema))))
            }
        }
    };
}
