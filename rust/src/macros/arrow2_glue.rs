// SPDX-License-Identifier: MIT

/// Makes the module `alloy_arrow2` against the arrow2 of the path;
/// [`backend!`](crate::backend) calls it for `arrow2:`.
///
/// arrow2 makes arrays over foreign memory by its own import alone, so batches are
/// imported and exported column by column.
#[macro_export]
macro_rules! arrow2_glue {
    ($($arrow2:ident)::+) => {
        #[allow(dead_code)]
        mod alloy_arrow2 {
            use $($arrow2)::+ as arrow2;

            use arrow2::array::Array;
            use arrow2::datatypes::{DataType, Field, IntegerType, PhysicalType, Schema};
            use arrow2::ffi;
            use arrow2::types::{PrimitiveType, days_ms, i256, months_days_ns};
            use std::mem::{ManuallyDrop, align_of};
            use $crate::abi::{ArrowArray, ArrowSchema};
            use $crate::{Error, Input, Options, OwnedArray, OwnedSchema, Scope};

            $crate::__arrow2_settle! {}
            $crate::__arrow2_stream! {}

            /// Columns of equal length; a batch without columns has rows all the same.
            pub struct Batch {
                pub columns: Vec<Box<dyn Array>>,
                pub rows: usize,
            }

            /// What a function learns when it is bound.
            pub struct Bind<'a> {
                schemas: &'a [Schema],
                options: &'a Options,
            }

            impl<'a> Bind<'a> {
                /// The schemas of the inputs.
                pub fn schemas(&self) -> &'a [Schema] {
                    self.schemas
                }

                /// The schema of the only input.
                pub fn schema(&self) -> Schema {
                    self.schemas[0].clone()
                }

                /// The options of the call.
                pub fn options(&self) -> &'a Options {
                    self.options
                }
            }

            /// The inputs of a run, each imported when it is asked for.
            pub struct Batches<'a> {
                inputs: std::slice::IterMut<'a, Input>,
                schemas: &'a [Schema],
            }

            impl<'a> Batches<'a> {
                /// The next input, for functions with a fixed number of them.
                pub fn take(&mut self) -> Result<Batch, Error> {
                    self.next().unwrap_or_else(|| Err(Error::failed("no input is left")))
                }

                /// The schemas of all inputs.
                pub fn schemas(&self) -> &'a [Schema] {
                    self.schemas
                }
            }

            impl Iterator for Batches<'_> {
                type Item = Result<Batch, Error>;

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

            type Run = dyn FnMut(Scope<'_>, &mut Batches<'_>) -> Result<Batch, Error> + Send;

            /// What a function answers when it is bound: its output, and what runs it.
            pub struct Bound {
                schema: Schema,
                run: Box<Run>,
            }

            impl Bound {
                /// `run` serves one batch after another, on any thread, and gives batches
                /// of `schema`.
                pub fn new<F>(schema: Schema, run: F) -> Self
                where
                    F: FnMut(Scope<'_>, &mut Batches<'_>) -> Result<Batch, Error>
                        + Send
                        + 'static,
                {
                    Self { schema, run: Box::new(run) }
                }
            }

            /// What bind leaves for the runs.
            pub struct State {
                inputs: Vec<Schema>,
                bound: Bound,
            }

            /// The schemas of the inputs.
            ///
            /// # Safety
            ///
            /// They must be those of batches, and valid.
            pub unsafe fn import_schemas(
                inputs: &[ArrowSchema],
            ) -> Result<Vec<Schema>, Error> {
                // SAFETY: the caller's promise.
                inputs.iter().map(|schema| unsafe { import_schema(schema) }).collect()
            }

            impl State {
                /// Bind a function.
                pub fn bind(
                    _scope: Scope<'_>,
                    inputs: Vec<Schema>,
                    options: Options,
                    function: impl FnOnce(&Bind<'_>) -> Result<Bound, Error>,
                ) -> Result<(OwnedSchema, Self), Error> {
                    let bound = function(&Bind { schemas: &inputs, options: &options })?;
                    Ok((export_schema(&bound.schema), Self { inputs, bound }))
                }

                /// Run it.
                pub fn run(
                    &mut self,
                    scope: Scope<'_>,
                    inputs: &mut [Input],
                ) -> Result<OwnedArray, Error> {
                    let mut batches = Batches { inputs: inputs.iter_mut(), schemas: &self.inputs };
                    let batch = (self.bound.run)(scope, &mut batches)?;
                    export_batch(batch, &self.bound.schema)
                }
            }

            fn export_schema(schema: &Schema) -> OwnedSchema {
                let root = DataType::Struct(schema.fields.clone());
                let mut root = Field::new("", root, false);
                root.metadata = schema.metadata.clone();
                export_field(&root)
            }

            fn export_batch(batch: Batch, declared: &Schema) -> Result<OwnedArray, Error> {
                check_schema(&batch, declared)?;
                let columns = batch.columns.into_iter().map(export_array).collect();
                Ok(OwnedArray::from_columns(batch.rows, columns))
            }

            // The layouts that the engine made at bind are those of the declared schema.
            fn check_schema(batch: &Batch, declared: &Schema) -> Result<(), Error> {
                if batch.columns.len() != declared.fields.len() {
                    return Err(Error::failed(format!(
                        "the function declared {} columns and gave {}",
                        declared.fields.len(),
                        batch.columns.len()
                    )));
                }
                for (got, wanted) in batch.columns.iter().zip(&declared.fields) {
                    if got.data_type() != &wanted.data_type {
                        return Err(Error::failed(format!(
                            "column {}: the function declared {:?} and gave {:?}",
                            wanted.name,
                            wanted.data_type,
                            got.data_type()
                        )));
                    }
                }
                Ok(())
            }

            // SAFETY (of the call): the schema is valid.
            unsafe fn import_schema(schema: &ArrowSchema) -> Result<Schema, Error> {
                // SAFETY: ffi::ArrowSchema is the same C struct, and is only borrowed.
                let root = unsafe {
                    $crate::check_texts(schema)?;
                    ffi::import_field_from_c(&*(&raw const *schema).cast::<ffi::ArrowSchema>())
                };
                let root = root.map_err(|error| {
                    let text = format!("arrow2 cannot hold the schema: {error}");
                    Error::new($crate::Code::Unsupported, text)
                })?;
                // It takes some formats for others, such as a decimal of 32 bits for one of 128.
                // SAFETY: both are valid.
                unsafe { $crate::check_same_types(schema, export_field(&root).raw())? };
                match root.data_type {
                    DataType::Struct(fields) => {
                        fields.iter().try_for_each(check_held)?;
                        Ok(Schema { fields, metadata: root.metadata })
                    }
                    _ => Err(Error::bad_data("the schema of a batch is no struct")),
                }
            }

            // What arrow2 has types for, but no arrays.
            fn check_held(field: &Field) -> Result<(), Error> {
                let not_held = |what| {
                    let text = format!("column {}: arrow2 cannot hold {what}", field.name);
                    Err(Error::new($crate::Code::Unsupported, text))
                };
                match field.data_type.to_logical_type() {
                    // Version 0.14 forgets that it is one.
                    DataType::Null if field.data_type != DataType::Null => {
                        not_held("extension types of null")
                    }
                    DataType::Struct(fields) if fields.is_empty() => {
                        not_held("structs without fields")
                    }
                    DataType::FixedSizeBinary(0) | DataType::FixedSizeList(_, 0) => {
                        not_held("values of size 0")
                    }
                    DataType::Union(_, Some(ids), _) if ids.contains(&127) => {
                        not_held("unions with the type id 127")
                    }
                    DataType::Struct(fields) | DataType::Union(fields, ..) => {
                        fields.iter().try_for_each(check_held)
                    }
                    DataType::List(item)
                    | DataType::LargeList(item)
                    | DataType::FixedSizeList(item, _)
                    | DataType::Map(item, _) => check_held(item),
                    DataType::Dictionary(_, values, _) => {
                        let values = Field::new(&field.name, values.as_ref().clone(), true);
                        check_held(&values)
                    }
                    _ => Ok(()),
                }
            }

            fn import_batch(batch: OwnedArray, schema: &Schema) -> Result<Batch, Error> {
                let rows = batch.raw().length;
                let children = batch.raw().children;
                let mut columns = Vec::with_capacity(schema.fields.len());
                for (index, field) in schema.fields.iter().enumerate() {
                    // SAFETY: the gate passed the struct against this schema. The child
                    // is moved out, and outlives its parent.
                    let column = unsafe {
                        match batch.raw().child(index) {
                            Some(child) if !is_aligned(child, &field.data_type) => {
                                return Err(Error::bad_data(format!(
                                    "column {}: arrow2 needs aligned buffers; copy the column \
                                     or use arrow-rs",
                                    field.name
                                )));
                            }
                            Some(child) if child.length == rows => {
                                let column = OwnedArray::take(&mut **children.add(index));
                                settle(column, &field.data_type).into_raw()
                            }
                            _ => return Err(Error::bad_data("a column is missing or short")),
                        }
                    };
                    // SAFETY: ffi::ArrowArray is the same C struct, and is moved over.
                    columns.push(unsafe {
                        let column = (&raw const column).cast::<ffi::ArrowArray>().read();
                        ffi::import_array_from_c(column, field.data_type.clone())?
                    });
                }
                Ok(Batch { columns, rows: rows as usize })
            }

            // Whether arrow2 can read the array where it lies. Its import copies what is
            // misaligned without heed of the offset, or refuses it, as the version goes.
            //
            // SAFETY (of the call): the gate passed the struct as this type.
            unsafe fn is_aligned(array: &ArrowArray, data_type: &DataType) -> bool {
                // Of the only buffer that holds more than bytes and bits: how many slots
                // it has beyond one for each row, and what these need.
                let (more, align) = match data_type.to_physical_type() {
                    PhysicalType::Primitive(primitive) => (0, align_of_primitive(primitive)),
                    PhysicalType::Dictionary(key) => (0, align_of_key(key)),
                    PhysicalType::Union => (0, align_of::<i32>()),
                    PhysicalType::Utf8
                    | PhysicalType::Binary
                    | PhysicalType::List
                    | PhysicalType::Map => (1, align_of::<i32>()),
                    PhysicalType::LargeUtf8
                    | PhysicalType::LargeBinary
                    | PhysicalType::LargeList => (1, align_of::<i64>()),
                    PhysicalType::Null
                    | PhysicalType::Boolean
                    | PhysicalType::FixedSizeBinary
                    | PhysicalType::FixedSizeList
                    | PhysicalType::Struct => (0, 1),
                };
                let is_read = array.offset + array.length + more > 0;
                // SAFETY: see above.
                unsafe {
                    if is_read && array.buffer(1) as usize % align != 0 {
                        return false;
                    }
                    let child = |index, field: &Field| {
                        array.child(index).is_none_or(|child| is_aligned(child, &field.data_type))
                    };
                    match data_type.to_logical_type() {
                        DataType::List(field)
                        | DataType::LargeList(field)
                        | DataType::FixedSizeList(field, _)
                        | DataType::Map(field, _) => child(0, field),
                        DataType::Struct(fields) | DataType::Union(fields, ..) => {
                            fields.iter().enumerate().all(|(index, field)| child(index, field))
                        }
                        DataType::Dictionary(_, values, _) => {
                            array.dictionary.as_ref().is_none_or(|array| is_aligned(array, values))
                        }
                        _ => true,
                    }
                }
            }

            fn align_of_primitive(primitive: PrimitiveType) -> usize {
                match primitive {
                    PrimitiveType::Int8 | PrimitiveType::UInt8 => 1,
                    PrimitiveType::Int16 | PrimitiveType::UInt16 | PrimitiveType::Float16 => {
                        align_of::<u16>()
                    }
                    PrimitiveType::Int32 | PrimitiveType::UInt32 | PrimitiveType::Float32 => {
                        align_of::<u32>()
                    }
                    PrimitiveType::Int64 | PrimitiveType::UInt64 | PrimitiveType::Float64 => {
                        align_of::<u64>()
                    }
                    PrimitiveType::Int128 => align_of::<i128>(),
                    PrimitiveType::Int256 => align_of::<i256>(),
                    PrimitiveType::DaysMs => align_of::<days_ms>(),
                    PrimitiveType::MonthDayNano => align_of::<months_days_ns>(),
                }
            }

            fn align_of_key(key: IntegerType) -> usize {
                match key {
                    IntegerType::Int8 | IntegerType::UInt8 => 1,
                    IntegerType::Int16 | IntegerType::UInt16 => align_of::<u16>(),
                    IntegerType::Int32 | IntegerType::UInt32 => align_of::<u32>(),
                    IntegerType::Int64 | IntegerType::UInt64 => align_of::<u64>(),
                }
            }

            fn export_array(array: Box<dyn Array>) -> OwnedArray {
                let array = ManuallyDrop::new(ffi::export_array_to_c(array));
                // SAFETY: ffi::ArrowArray is the same C struct, and is moved over.
                unsafe {
                    OwnedArray::take(&mut (&raw const *array).cast::<ArrowArray>().read())
                }
            }

            fn export_field(field: &Field) -> OwnedSchema {
                let schema = ManuallyDrop::new(ffi::export_field_to_c(field));
                // SAFETY: ffi::ArrowSchema is the same C struct, and is moved over.
                unsafe {
                    OwnedSchema::from_raw((&raw const *schema).cast::<ArrowSchema>().read())
                }
            }

            /// The text of an array as every Alloy program prints it.
            pub fn describe_array(
                scope: Scope<'_>,
                field: &Field,
                array: &dyn Array,
            ) -> Result<String, Error> {
                let (schema, array) = (export_field(field), export_array(array.to_boxed()));
                // SAFETY: both were made here, of one type.
                unsafe { scope.describe_raw(schema.raw(), array.raw()) }
            }

            /// The text of a batch as every Alloy program prints it.
            pub fn describe_batch(
                scope: Scope<'_>,
                schema: &Schema,
                batch: &Batch,
            ) -> Result<String, Error> {
                let root = Field::new("", DataType::Struct(schema.fields.clone()), false);
                let columns = batch.columns.iter().map(|c| export_array(c.to_boxed())).collect();
                let array = OwnedArray::from_columns(batch.rows, columns);
                // SAFETY: both were made here, of one type.
                unsafe { scope.describe_raw(export_field(&root).raw(), array.raw()) }
            }
        }
    };
}
