// SPDX-License-Identifier: MIT

// The calls of a host on whole batches. It needs the same functions next to it as `__calls!`.
#[cfg(feature = "host")]
#[doc(hidden)]
#[macro_export]
macro_rules! __host {
    ($schema:ident, $batch:ident) => {
        /// For hosts: call functions of a backend on batches.
        pub mod host {
            use super::{
                Exporter, export_batch, export_schema, import_batch, import_schema,
                $batch, $schema,
            };
            use $crate::host::{Bridge, Canceller, Cause, Error, Result, Source};

            /// Bind a function to the schemas of the batches, and run it once.
            ///
            /// # Errors
            ///
            /// As [`Call::bind`] and [`Call::run`].
            pub fn call(
                bridge: &Bridge,
                function: &str,
                options: &[(&str, &str)],
                inputs: Vec<($schema, $batch)>,
            ) -> Result<$batch> {
                let (schemas, batches): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
                Call::bind(bridge, function, &schemas, options)?.run(batches)
            }

            /// A function that is bound to schemas and options. Any thread may use it, one run
            /// at a time.
            pub struct Call {
                call: $crate::host::Call,
                inputs: Vec<$schema>,
                output: $schema,
                exporter: Exporter,
            }

            impl Call {
                /// Bind a function.
                ///
                /// # Errors
                ///
                /// As [`$crate::host::Call::bind`]. `Unsupported`: this Arrow crate cannot hold
                /// the output.
                pub fn bind(
                    bridge: &Bridge,
                    function: &str,
                    inputs: &[$schema],
                    options: &[(&str, &str)],
                ) -> Result<Self> {
                    let mut exported = Vec::with_capacity(inputs.len());
                    for (index, schema) in inputs.iter().enumerate() {
                        let schema = export_schema(schema)
                            .map_err(|e| Error::of_input(index, &e))?;
                        exported.push(schema);
                    }
                    let schemas: Vec<_> = exported.iter().collect();
                    let call =
                        $crate::host::Call::bind(bridge, function, &schemas, options)?;
                    // SAFETY: the engine has checked the schema.
                    let output = unsafe { import_schema(call.schema()) };
                    let output = output.map_err(|e| Error::of_output(&e))?;
                    let (inputs, exporter) = (inputs.to_vec(), Exporter::default());
                    Ok(Self { call, inputs, output, exporter })
                }

                /// The schema of the output.
                pub fn schema(&self) -> &$schema {
                    &self.output
                }

                /// Limit the time of each run, and of each batch of a stream. Zero: no limit.
                pub fn set_timeout(&mut self, timeout: std::time::Duration) {
                    self.call.set_timeout(timeout);
                }

                /// Cancels the next run or stream, from any thread.
                pub fn canceller(&self) -> Canceller {
                    self.call.canceller()
                }

                /// Run a map function on one batch for each bound schema.
                ///
                /// # Errors
                ///
                /// A batch has other types than were bound; and as [`$crate::host::Call::run`].
                pub fn run(
                    &mut self,
                    inputs: impl IntoIterator<Item = $batch>,
                ) -> Result<$batch> {
                    let mut arrays = Vec::with_capacity(self.inputs.len());
                    for (index, batch) in inputs.into_iter().enumerate() {
                        let Some(schema) = self.inputs.get(index) else {
                            let text = "there are more batches than bound schemas";
                            let error = $crate::Error::invalid(text);
                            return Err(Error::of_input(index, &error));
                        };
                        let array = export_batch(batch, schema, &mut self.exporter);
                        arrays.push(array.map_err(|e| Error::of_input(index, &e))?);
                    }
                    // SAFETY: each array was exported with the schema that was bound.
                    let output = unsafe { self.call.run(&mut arrays)? };
                    import_batch(output, &self.output).map_err(|e| Error::of_output(&e))
                }

                /// Run a function on streams. See [`$crate::host::Call::stream`].
                ///
                /// # Errors
                ///
                /// As there.
                pub fn stream(&mut self, inputs: Vec<Input>) -> Result<Stream> {
                    let inputs = inputs.into_iter().map(|input| input.0).collect();
                    let stream = self.call.stream(inputs)?;
                    Ok(Stream { stream, schema: self.output.clone() })
                }
            }

            /// An input stream of a call.
            pub struct Input(Source);

            impl Input {
                /// Batches of the program. An error of `batches` fails the result, and is the
                /// `source()` of its error.
                pub fn new<E: std::error::Error + Send + Sync + 'static>(
                    schema: $schema,
                    batches: impl Iterator<Item = std::result::Result<$batch, E>>
                    + Send
                    + 'static,
                ) -> Self {
                    let declared = schema.clone();
                    let mut exporter = Exporter::default();
                    let batches = batches.map(move |batch| {
                        let batch =
                            batch.map_err(|e| -> Cause { std::sync::Arc::new(e) })?;
                        export_batch(batch, &declared, &mut exporter).map_err(
                            |e| -> Cause { std::sync::Arc::new(Error::of_input(0, &e)) },
                        )
                    });
                    // SAFETY: each batch is exported with the schema of the stream.
                    Self(unsafe {
                        Source::new(move || export_schema(&schema), Box::new(batches))
                    })
                }
            }

            impl From<Stream> for Input {
                /// Hand a result on to another call. C code pulls from it directly.
                fn from(stream: Stream) -> Self {
                    Self(stream.stream.into_source())
                }
            }

            /// The result of a call on streams: an iterator over batches.
            pub struct Stream {
                stream: $crate::host::Stream,
                schema: $schema,
            }

            impl Stream {
                /// The schema of the batches.
                pub fn schema(&self) -> &$schema {
                    &self.schema
                }

                /// Cancels this stream, from any thread.
                pub fn canceller(&self) -> Canceller {
                    self.stream.canceller()
                }
            }

            impl Iterator for Stream {
                type Item = Result<$batch>;

                fn next(&mut self) -> Option<Self::Item> {
                    let batch = self.stream.next()?;
                    Some(batch.and_then(|batch| {
                        import_batch(batch, &self.schema)
                            .map_err(|e| Error::of_output(&e))
                    }))
                }
            }
        }
    };
}

#[cfg(not(feature = "host"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __host {
    ($schema:ident, $batch:ident) => {};
}
