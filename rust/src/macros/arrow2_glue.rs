// SPDX-License-Identifier: MIT

/// Makes the module `alloy_arrow2`, for functions on arrow2.
/// [`backend!`](crate::backend) calls it for `arrow2:`.
///
/// It contains the same names as the module of [`arrow_glue!`](crate::arrow_glue), and
/// `Batch`, because arrow2 has no batch with a schema.
///
/// Only arrow2's own import makes arrays over foreign memory. So batches are imported and
/// exported column by column.
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
            use $crate::{Error, Exporter, Input, Options, OwnedArray, OwnedSchema, Scope};

            $crate::__calls! { Schema, Batch }
            $crate::__streams! { Schema, Batch }
            $crate::__host! { Schema, Batch }
            $crate::__arrow2_fits! {}
            $crate::__arrow2_repair! {}

            /// Columns of equal length. A batch without columns still has rows.
            pub struct Batch {
                pub columns: Vec<Box<dyn Array>>,
                pub rows: usize,
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
                // arrow2 mistakes some formats, such as a decimal of 32 bits for one of 128.
                // SAFETY: both are valid.
                unsafe { $crate::check_same_types(schema, export_field(&root).raw())? };
                match root.data_type {
                    DataType::Struct(fields) => {
                        fields.iter().try_for_each(check_held)?;
                        Ok(Schema { fields, metadata: root.metadata })
                    }
                    _ => Err(Error::bad_data("the schema of a batch must be a struct")),
                }
            }

            fn import_batch(batch: OwnedArray, schema: &Schema) -> Result<Batch, Error> {
                let rows = batch.raw().length;
                let children = batch.raw().children;
                let mut columns = Vec::with_capacity(schema.fields.len());
                for (index, field) in schema.fields.iter().enumerate() {
                    let bad = |text: &str| {
                        Error::bad_data(format!("column {}: {text}", field.name))
                    };
                    // SAFETY: the gate passed the struct against this schema. The child
                    // is moved out, and outlives its parent.
                    let column = unsafe {
                        match batch.raw().child(index) {
                            Some(child) if !is_aligned(child, &field.data_type) => {
                                return Err(bad(
                                    "arrow2 needs aligned buffers; copy the column or use \
                                     arrow-rs",
                                ));
                            }
                            Some(child) if child.length == rows => {
                                let column = OwnedArray::take(&mut **children.add(index));
                                repair(column, &field.data_type).into_raw()
                            }
                            _ => return Err(bad("the batch does not hold it in full")),
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

            fn export_schema(schema: &Schema) -> Result<OwnedSchema, Error> {
                let root = DataType::Struct(schema.fields.clone());
                let mut root = Field::new("", root, false);
                root.metadata = schema.metadata.clone();
                Ok(export_field(&root))
            }

            // The engine made its layouts at bind, from the declared schema. The exporter
            // is arrow-rs's: here every column makes a block of its own.
            fn export_batch(
                batch: Batch,
                declared: &Schema,
                _: &mut Exporter,
            ) -> Result<OwnedArray, Error> {
                $crate::typed::check_columns(
                    declared.fields.iter().map(|field| (&field.name, &field.data_type)),
                    batch.columns.iter().map(|column| column.data_type()),
                    |data_type| format!("{data_type:?}"),
                )?;
                let columns = batch.columns.into_iter().map(export_array).collect();
                Ok(OwnedArray::from_columns(batch.rows, columns))
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

            /// The text of an array, as every Alloy program prints it.
            pub fn describe_array(
                scope: Scope<'_>,
                field: &Field,
                array: &dyn Array,
            ) -> Result<String, Error> {
                let (schema, array) = (export_field(field), export_array(array.to_boxed()));
                // SAFETY: both were made here, of one type.
                unsafe { scope.describe_raw(schema.raw(), array.raw()) }
            }

            /// The text of a batch, as every Alloy program prints it.
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
